// <eventcal-listing>: a calendar's events or talks on any page. Its attributes are the filters of lists:
// tag, kind, country, city, event, track, room, speaker, language, state, series, q, from (a date, or "today"), to,
// cfp, scheduled, updated_since, sort, limit; beside them src (the calendar), show (events, talks), lang (en, de),
// zone (event, visitor) and theme (auto, light, dark). Several values of tag, city, track, room and series: a|b.
(() => {
  "use strict";
  const NAME = "eventcal-listing";
  if (customElements.get(NAME)) return;

  const script = document.currentScript ?? document.querySelector('script[src$="/embed.js"]');
  const HOME = script?.src ? new URL(".", script.src).href : "";
  const ONCE = ["from", "to", "q", "kind", "country", "event", "speaker", "language", "state", "status", "cfp",
    "scheduled", "updated_since", "sort", "limit"];
  const SEVERAL = ["tag", "city", "track", "room", "series"];
  const MOST_EVENTS = 50; // that one request names

  const WORDS = {
    en: {
      loading: "Loading …", empty: "There is nothing to show at the moment.", failed: "This list cannot be loaded right now.",
      wrong: "This list cannot be shown. Whoever put it here can put it right:", nowhere: "say in src where the calendar is",
      again: "Try again", waits: "The time is not known yet.", more: "Show more", subscribe: "Subscribe", online: "online",
      events: "Events", talks: "Talks", cancelled: "Cancelled", postponed: "Postponed", tentative: "Not certain yet",
    },
    de: {
      loading: "Wird geladen …", empty: "Zurzeit gibt es hier nichts.", failed: "Diese Liste lässt sich gerade nicht laden.",
      wrong: "Diese Liste lässt sich nicht zeigen. Wer sie hier eingebunden hat, kann das richten:",
      nowhere: "src muss sagen, wo der Kalender ist",
      again: "Noch einmal versuchen", waits: "Die Zeit steht noch nicht fest.", more: "Mehr anzeigen",
      subscribe: "Abonnieren", online: "online", events: "Veranstaltungen", talks: "Vorträge", cancelled: "Abgesagt",
      postponed: "Verschoben", tentative: "Noch nicht sicher",
    },
  };

  // What the page does to the element itself ends here: of two rules that are both important, the inner one wins.
  const DARK = `--ink: var(--eventcal-ink, #e7e9ea); --quiet: var(--eventcal-quiet, #a5adb6); --paper: var(--eventcal-paper, #15181b);
    --raised: var(--eventcal-raised, #1f2428); --line: var(--eventcal-line, #3a4047); --accent: var(--eventcal-accent, #82c9e6);
    --bad: var(--eventcal-bad, #ff9aa2); color-scheme: dark;`;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial !important; display: block !important; direction: ltr !important;
      width: var(--eventcal-width, auto) !important; margin: var(--eventcal-margin, 0) !important; }
    :host([hidden]) { display: none !important; }
    :host::before, :host::after { content: none !important; display: none !important; }
    .root { --ink: var(--eventcal-ink, #1c2024); --quiet: var(--eventcal-quiet, #565d66); --paper: var(--eventcal-paper, #fdfdfc);
      --raised: var(--eventcal-raised, #f2f4f4); --line: var(--eventcal-line, #d5d9dc); --accent: var(--eventcal-accent, #0b5c7a);
      --bad: var(--eventcal-bad, #a81f2b); color-scheme: light; box-sizing: border-box; padding: var(--eventcal-padding, 12px 16px);
      color: var(--ink); background: var(--paper); border-radius: var(--eventcal-radius, 8px); overflow-wrap: anywhere;
      font: var(--eventcal-font, 16px/1.5 system-ui, sans-serif); }
    @media (prefers-color-scheme: dark) { .root { ${DARK} } }
    :host([theme="light"]) .root { --ink: var(--eventcal-ink, #1c2024); --quiet: var(--eventcal-quiet, #565d66);
      --paper: var(--eventcal-paper, #fdfdfc); --raised: var(--eventcal-raised, #f2f4f4); --line: var(--eventcal-line, #d5d9dc);
      --accent: var(--eventcal-accent, #0b5c7a); --bad: var(--eventcal-bad, #a81f2b); color-scheme: light; }
    :host([theme="dark"]) .root { ${DARK} }
    ul { margin: 0; padding: 0; list-style: none; }
    li { padding: 10px 0; border-bottom: 1px solid var(--line); }
    p { margin: 0; }
    li p { color: var(--quiet); }
    a { color: var(--accent); text-underline-offset: 2px; }
    .title { display: inline-block; padding: 3px 0; font-weight: 600; }
    a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .state { margin-inline-start: 8px; padding: 2px 10px; border-radius: 16px; font-size: 14px; font-weight: 600; white-space: nowrap;
      background: var(--raised); }
    .cancelled { color: var(--bad); }
    .foot { display: flex; flex-wrap: wrap; gap: 0 24px; }
    .foot a { display: inline-flex; align-items: center; min-height: 44px; }
    button { min-height: 44px; padding: 4px 18px; border: 0; border-radius: 8px; font: inherit; font-weight: 600; color: var(--paper);
      background: var(--accent); cursor: pointer; }
    [hidden] { display: none; }`);

  const make = (tag, name, ...children) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };
  // Whose direction may be another than that of the words around it.
  const apart = (text) => make("bdi", "", text);

  const link = (url, name, ...children) => {
    const element = make("a", name, ...children);
    const { protocol, href } = new URL(url);
    if (protocol === "https:" || protocol === "http:") element.href = href;
    element.rel = "noopener";
    return element;
  };

  const read = async (url, signal) => {
    const answer = await fetch(url, { signal, credentials: "omit", headers: { Accept: "application/json" } });
    if (answer.ok) return answer.json();
    const refusal = new Error(String(answer.status));
    if (answer.status === 422) refusal.faults = (await answer.json()).errors ?? [];
    throw refusal;
  };

  // Reads the events of talks: their titles, zones and places. Without them the talks can be shown all the same.
  const eventsOf = async (base, talks, signal) => {
    const slugs = [...new Set(talks.map((talk) => talk.event))].slice(0, MOST_EVENTS);
    if (!slugs.length) return new Map();
    const asked = new URLSearchParams({ event: slugs.join(","), limit: String(MOST_EVENTS) });
    try {
      const { items } = await read(`${base}api/v1/events?${asked}`, signal);
      return new Map(items.map((event) => [event.slug, event]));
    } catch (error) {
      if (signal.aborted) throw error;
      return new Map();
    }
  };

  const DAY = { weekday: "short", year: "numeric", month: "short", day: "numeric" };
  const HOUR = { ...DAY, hour: "numeric", minute: "2-digit" };

  const written = (options, starts, ends, lang) => {
    const format = new Intl.DateTimeFormat(lang, options);
    return ends > starts ? format.formatRange(starts, ends) : format.format(starts);
  };

  // When something is, in words: a day is a day wherever one is; a time is in the zone of its event, or in `zone`.
  const inWords = (item, { zone, lang }) => {
    if (!item.starts.includes("T")) {
      return written({ ...DAY, timeZone: "UTC" }, new Date(item.starts), new Date(item.ends ?? item.starts), lang);
    }
    const [starts, ends] = [new Date(item.starts_at), new Date(item.ends_at)];
    try {
      if (zone !== null) return written({ ...HOUR, timeZone: zone, timeZoneName: "short" }, starts, ends, lang);
    } catch {
      // A zone that this browser does not know: the time as it is on the clocks there.
    }
    const there = new Date(`${item.starts}Z`);
    return written({ ...HOUR, timeZone: "UTC" }, there, new Date(there.getTime() + (ends - starts)), lang);
  };

  const stamp = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");

  class EventcalListing extends HTMLElement {
    static observedAttributes = [...ONCE, ...SEVERAL, "src", "show", "lang", "zone"];
    #asked = null;
    #waiting = false;
    #say = make("p");
    #list = make("ul");
    #foot = make("p", "foot");
    #root = make("div", "root", this.#say, this.#list, this.#foot);

    constructor() {
      super();
      const shadow = this.attachShadow({ mode: "open" });
      shadow.adoptedStyleSheets = [sheet];
      this.#say.setAttribute("role", "status");
      this.#say.setAttribute("aria-live", "polite");
      // Without its marks, Safari takes a list for none.
      this.#list.setAttribute("role", "list");
      shadow.append(this.#root);
    }

    connectedCallback() {
      this.#soon();
    }

    disconnectedCallback() {
      this.#asked?.abort();
    }

    attributeChangedCallback(_name, before, after) {
      if (before !== after) this.#soon();
    }

    // Several attributes that change together are one change.
    #soon() {
      if (this.#waiting || !this.isConnected) return;
      this.#waiting = true;
      queueMicrotask(() => {
        this.#waiting = false;
        if (this.isConnected) void this.refresh();
      });
    }

    /** Loads and shows what the attributes ask for. */
    async refresh() {
      this.#asked?.abort();
      const { signal } = (this.#asked = new AbortController());
      const lang = this.#lang();
      const words = WORDS[lang.split("-")[0].toLowerCase()] ?? WORDS.en;
      const show = this.getAttribute("show") === "talks" ? "talks" : "events";
      this.#root.lang = words === WORDS.en ? "en" : lang;
      this.#list.setAttribute("aria-label", words[show]);
      this.#list.setAttribute("aria-busy", "true");
      this.#tell(words.loading);
      try {
        await this.#fill(show, words, this.#root.lang, signal);
        if (signal.aborted) return;
        this.#tell(this.#list.childElementCount ? "" : words.empty);
      } catch (error) {
        if (signal.aborted) return;
        this.#list.replaceChildren();
        this.#foot.replaceChildren();
        this.#refuse(error, words);
      }
      this.#list.setAttribute("aria-busy", "false");
    }

    async #fill(show, words, lang, signal) {
      const base = this.#base(words);
      const asked = this.#filters();
      const over = asked.get("from") && asked.get("to") && this.getAttribute("from") === "today" && asked.get("to") < asked.get("from");
      const found = over ? { items: [], next: null } : await read(`${base}api/v1/${show}?${asked}`, signal);
      const events = show === "talks" ? await eventsOf(base, found.items, signal) : null;
      if (signal.aborted) return;
      this.#list.replaceChildren(...found.items.map((item) => this.#item(item, events, words, lang)));
      const lasting = new URLSearchParams(asked);
      if (this.getAttribute("from") === "today") lasting.delete("from");
      lasting.delete("limit");
      lasting.set("show", show);
      const more = found.next ? link(`${base}?${lasting}`, "", words.more) : null;
      lasting.delete("sort");
      this.#foot.replaceChildren(...[more, link(`${base}subscribe?${lasting}`, "", words.subscribe)].filter(Boolean));
    }

    #item(item, events, words, lang) {
      const event = events ? events.get(item.event) : item;
      const next = item.occurrences?.[0];
      const at = next ?? item;
      const state = item.state ?? (item.status === "confirmed" && next ? next.status : item.status);
      const badge = Object.hasOwn(words, state) && ["cancelled", "postponed", "tentative"].includes(state)
        ? make(state === "tentative" ? "span" : "strong", `state ${state}`, words[state]) : null;
      const names = (item.speakers ?? []).flatMap((one, i) => [i ? ", " : "", apart(one.name)]);
      const time = make("time", "", at.starts ? inWords(at, { zone: this.#zone(event), lang }) : words.waits);
      if (at.starts) time.dateTime = at.starts.includes("T") ? at.starts_at : at.starts;
      const { venue, city } = event?.location ?? {};
      const online = item.attendance && item.attendance !== "in_person" ? words.online : null;
      const where = [events && event?.title, item.room, at.venue ?? venue, city, online].filter(Boolean);
      const row = make("li", "", link(item.links.html, "title", apart(item.title)), badge,
        names.length ? make("p", "", ...names) : null, make("p", "", time),
        where.length ? make("p", "", ...where.flatMap((one, i) => [i ? ", " : "", apart(one)])) : null);
      row.dataset.id = item.id ?? item.slug;
      return row;
    }

    #tell(...children) {
      this.#say.replaceChildren(...children);
      this.#say.hidden = !this.#say.textContent;
    }

    #refuse(error, words) {
      if (error.faults) {
        const faults = error.faults.map((fault) => `${fault.parameter ?? ""} ${fault.detail}`.trim());
        this.#tell(`${words.wrong} ${faults.join("; ")}`);
        return;
      }
      const again = make("button", "", words.again);
      again.type = "button";
      again.addEventListener("click", () => void this.refresh());
      this.#tell(`${words.failed} `, again);
    }

    #lang() {
      const near = this.closest("[lang]:not([lang=''])")?.getAttribute("lang");
      for (const wanted of [near, navigator.language]) {
        try {
          if (wanted) return Intl.getCanonicalLocales(wanted)[0];
        } catch {
          // None that there is.
        }
      }
      return "en";
    }

    /** Gives the zone to write times in; undefined is the visitor's, null is not known. */
    #zone(event) {
      const zone = this.getAttribute("zone");
      if (zone === "visitor") return undefined;
      return zone && zone !== "event" ? zone : event?.timezone ?? null;
    }

    #base(words) {
      const given = this.getAttribute("src") ?? HOME;
      try {
        if (!given) throw new TypeError();
        const url = new URL(given.endsWith("/") ? given : `${given}/`, document.baseURI);
        url.search = url.hash = "";
        return url.href;
      } catch {
        throw Object.assign(new Error("src"), { faults: [{ detail: words.nowhere }] });
      }
    }

    #filters() {
      const asked = new URLSearchParams();
      const add = (name, value) => value.trim() && asked.append(name, value.trim());
      for (const name of ONCE) add(name, this.getAttribute(name) ?? "");
      for (const name of SEVERAL) (this.getAttribute(name) ?? "").split("|").forEach((value) => add(name, value));
      if (asked.get("from") === "today") asked.set("from", stamp(new Date()));
      return asked;
    }
  }

  customElements.define(NAME, EventcalListing);
})();

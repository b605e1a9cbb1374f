// Reads calendars with libraries that eventcal's tests compare with: a JSON line in, a JSON line out, until the end.
//
// {"reader": "ical.js" or "node-ical", "text": iCalendar} or {"reader": "ical.js", "jcal": jCal}, and perhaps
// {"between": [instant, instant]}, gives {"entries": […], "occurrences": […]}: what is written, and where `between`
// is given what takes place then, each {uid, title, description, location, status, categories, start, end, all_day}.
// Instants are in UTC (2026-06-10T11:30:00Z), days are days (2026-06-10).
//
// {"reader": "zone", "vtimezone": text, "walls": [local time, …]} gives {"offsets": [seconds east of UTC, …]}, by
// ical.js.
//
// What a library throws is given as {"error": its words}.

import { createInterface } from "node:readline";

import ICAL from "ical.js";
import nodeIcal from "node-ical";

const instant = (date) => date.toISOString().replace(".000Z", "Z");

const pad = (number, width) => String(number).padStart(width, "0");

const localDay = (date) =>
  `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;

// ical.js

const icalMoment = (time) => (time.isDate ? time.toString() : instant(time.toJSDate()));

const icalEntry = (event, { startDate, endDate } = event) => ({
  uid: event.uid,
  title: event.summary,
  description: event.description,
  location: event.location,
  status: event.component.getFirstPropertyValue("status"),
  categories: event.component.getAllProperties("categories").flatMap((property) => property.getValues()),
  start: icalMoment(startDate),
  end: icalMoment(endDate),
  all_day: startDate.isDate,
});

function* icalOccurrences(event, from, to) {
  if (!event.isRecurring()) {
    yield icalEntry(event);
    return;
  }
  const iterator = event.iterator();
  for (let next = iterator.next(); next && next.toJSDate() < to; next = iterator.next()) {
    const found = event.getOccurrenceDetails(next);
    if (found.endDate.toJSDate() > from) {
      yield icalEntry(found.item, found);
    }
  }
}

function byIcal({ text, jcal, between }) {
  const calendar = new ICAL.Component(jcal ?? ICAL.parse(text));
  const components = calendar.getAllSubcomponents("vevent");
  const uidOf = (component) => component.getFirstPropertyValue("uid");
  const isException = (component) => component.hasProperty("recurrence-id");
  // Without `exceptions`, ical.js applies each exception to all events of the calendar.
  const exceptionsOf = (event) => components.filter((one) => isException(one) && uidOf(one) === uidOf(event));
  const events = components.map(
    (one) => new ICAL.Event(one, { exceptions: isException(one) ? [] : exceptionsOf(one) }),
  );
  const answer = { entries: events.map((event) => icalEntry(event)) };
  if (between) {
    const [from, to] = between.map((moment) => new Date(moment));
    const whole = events.filter((event) => !event.isRecurrenceException());
    answer.occurrences = whole.flatMap((event) => [...icalOccurrences(event, from, to)]);
  }
  return answer;
}

function byZone({ vtimezone, walls }) {
  const zone = new ICAL.Timezone(new ICAL.Component(ICAL.parse(vtimezone)));
  return { offsets: walls.map((wall) => zone.utcOffset(ICAL.Time.fromDateTimeString(wall))) };
}

// node-ical

// A value with parameters is an object.
const plain = (value) => (value !== null && typeof value === "object" ? value.val : value);

const nodeMoment = (date, allDay) => (allDay ? localDay(date) : instant(date));

const nodeEntry = (event, { start, end } = event) => ({
  uid: event.uid,
  title: plain(event.summary),
  description: plain(event.description) ?? null,
  location: plain(event.location) ?? null,
  status: event.status,
  categories: event.categories ?? [],
  start: nodeMoment(start, event.datetype === "date"),
  end: nodeMoment(end, event.datetype === "date"),
  all_day: event.datetype === "date",
});

function byNodeIcal({ text, between }) {
  const parts = Object.values(nodeIcal.sync.parseICS(text));
  const events = parts.filter((part) => part.type === "VEVENT");
  const answer = { entries: events.map((event) => nodeEntry(event)) };
  if (between) {
    const [from, to] = between.map((moment) => new Date(moment));
    const found = events.flatMap((event) => nodeIcal.expandRecurringEvent(event, { from, to, expandOngoing: true }));
    answer.occurrences = found.map((occurrence) => nodeEntry(occurrence.event, occurrence));
  }
  return answer;
}

const READERS = { "ical.js": byIcal, "node-ical": byNodeIcal, zone: byZone };

function answerTo(line) {
  try {
    const request = JSON.parse(line);
    return READERS[request.reader](request);
  } catch (error) {
    return { error: String(error.stack ?? error) };
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${JSON.stringify(answerTo(line))}\n`);
}

// Uses the generated types in a session with a server: node session.js URL. Prints the results as JSON.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { argv: string[] };

const baseUrl = process.argv[2];
const api = createClient<paths>({ baseUrl });

const registered = await api.POST("/api/v1/auth/register", {
  body: { email: "ts@example.org", password: "a long pass phrase", name: "Tess" },
});
const credentials = { email: "ts@example.org", password: "a long pass phrase" };
const signedIn = await api.POST("/api/v1/auth/login", { body: credentials });
if (signedIn.data === undefined) throw new Error(signedIn.error.detail);
const headers = {
  Cookie: signedIn.response.headers.getSetCookie()[0].split(";")[0],
  "X-CSRF-Token": signedIn.data.csrf_token,
};

const params = { path: { slug: "event-0" } };
const talk = await api.POST("/api/v1/events/{slug}/talks", {
  params,
  headers,
  body: { title: "Types", speakers: [{ name: "Tess" }] },
});
if (talk.data === undefined) throw new Error(talk.error.detail);
const invalid = await api.POST("/api/v1/events/{slug}/talks", { params, headers, body: { title: "" } });
const stale = await api.PATCH("/api/v1/talks/{talk_id}", {
  params: { path: { talk_id: talk.data.id }, header: { "If-Match": '"old"' } },
  headers,
  body: { title: "Stale" },
});

const slugs: string[] = [];
let cursor: string | undefined;
do {
  const page = await api.GET("/api/v1/events", { params: { query: { limit: 1, cursor } } });
  if (page.data === undefined) throw new Error(page.error?.detail);
  slugs.push(...page.data.items.map((event) => event.slug));
  cursor = page.data.next ?? undefined;
} while (cursor !== undefined);

console.log(
  JSON.stringify({
    registered: registered.response.status,
    state: talk.data.state,
    invalid: [invalid.error?.code, invalid.error?.errors?.[0]?.pointer],
    stale: [stale.error?.status, stale.error?.code],
    slugs,
  }),
);

// What the page tries, and what is expected to come of it.
//
// A case runs its steps in order; the last one decides. `policy` is the location of demo.conf that
// answers, `key` are the directives there that matter most.
//
// In `expect`, `preflight` is the status of the preflight's answer (null: the browser asks for none),
// `sent` whether the request itself left the browser, and `status` what the script reads
// (null: nothing).

export const groups = [
  {
    id: "sent-at-once",
    title: "Requests that are sent at once",
    intro:
      "Whatever an HTML form could have sent, a `GET` or a `POST` without special headers, goes straight out. " +
      "The browser looks at the answer, and only then decides whether the script may read it.",
    cases: [
      {
        id: "simple-get",
        title: "A plain GET",
        lesson:
          "The browser adds `Origin` by itself; no script can forge it. The answer names the origin that may read it.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/greeting" }],
        expect: { preflight: null, sent: true, status: 200 },
      },
      {
        id: "wildcard",
        title: "Something for everybody",
        lesson: "With `*` any origin may read the answer, as long as no cookies are involved.",
        policy: "/public",
        key: ["cors_allow_origin"],
        steps: [{ path: "/public" }],
        expect: { preflight: null, sent: true, status: 200 },
      },
      {
        id: "exposed-header",
        title: "A response header that a script can read, and one that it cannot",
        lesson:
          "The application sends `X-Total-Count` and `X-Search-Cost`. Both reach the browser; the script is shown the one that is exposed.",
        policy: "/search",
        key: ["cors_expose_headers"],
        steps: [{ path: "/search", reads: ["X-Total-Count", "X-Search-Cost"] }],
        expect: {
          preflight: null,
          sent: true,
          status: 200,
          headers: { "X-Total-Count": "42", "X-Search-Cost": null },
        },
      },
      {
        id: "error-status",
        title: "An error that a script can read",
        lesson:
          "Errors carry the headers too. Without them a script could not tell a 503 from a broken cable: it would see a `TypeError` for both.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/maintenance" }],
        expect: { preflight: null, sent: true, status: 503 },
      },
      {
        id: "one-authority",
        title: "An application with a CORS header of its own",
        lesson:
          "The application answers with `Access-Control-Allow-Origin: *`. A second one beside it would make the browser refuse the answer, so the module replaces it.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/legacy" }],
        expect: { preflight: null, sent: true, status: 200 },
      },
    ],
  },
  {
    id: "asked-first",
    title: "Requests that are asked for first",
    intro:
      "For any other method, header or content type the browser first sends a preflight: `OPTIONS`, with the " +
      "method and the header names it would like to use. nginx answers it alone; the application never sees it.",
    cases: [
      {
        id: "put-json",
        title: "A PUT with a JSON body",
        lesson: "Both the method and the content type need a preflight, and both are on the list.",
        policy: "/notes/",
        key: ["cors_allow_methods", "cors_allow_headers"],
        steps: [
          {
            method: "PUT",
            path: "/notes/7",
            headers: { "Content-Type": "application/json" },
            body: '{"text":"Buy milk"}',
          },
        ],
        expect: { preflight: 204, sent: true, status: 200 },
      },
      {
        id: "delete",
        title: "A DELETE",
        lesson: "No special header here: the method alone is reason enough to ask first.",
        policy: "/notes/",
        key: ["cors_allow_methods"],
        steps: [{ method: "DELETE", path: "/notes/7" }],
        expect: { preflight: 204, sent: true, status: 204 },
      },
      {
        id: "authorization",
        title: "A token, and the answer without it",
        lesson:
          "A preflight never carries the token, so it has to be answered before authentication. And whoever forgets the token reads a 401, not a mystery.",
        policy: "/private",
        key: ["cors_allow_headers"],
        steps: [
          { path: "/private" },
          { path: "/private", headers: { Authorization: "Bearer demo" } },
        ],
        expect: { preflight: 204, sent: true, status: 200 },
      },
      {
        id: "denied-method",
        title: "A method that is not on the list",
        lesson: "The preflight is answered all the same: with a list that `PATCH` is not on. The browser does the rest.",
        policy: "/notes/",
        key: ["cors_allow_methods"],
        steps: [{ method: "PATCH", path: "/notes/7" }],
        expect: { preflight: 204, sent: false, status: null },
      },
      {
        id: "denied-header",
        title: "A header that is not on the list",
        lesson: "One header of the script’s own turns even a `GET` into a request that is asked for first.",
        policy: "/notes/",
        key: ["cors_allow_headers"],
        steps: [{ path: "/notes/7", headers: { "X-Debug": "1" } }],
        expect: { preflight: 204, sent: false, status: null },
      },
    ],
  },
  {
    id: "with-cookies",
    title: "Requests with cookies",
    intro:
      "A script has to ask for cookies with `credentials: \"include\"`. Then the browser is stricter: the answer must " +
      "name the origin and say `Access-Control-Allow-Credentials: true`. A `*` no longer means everything.",
    cases: [
      {
        id: "cookie",
        title: "Signing in, then being recognised",
        lesson:
          "The first answer sets a cookie, the second request carries it. Without `credentials: \"include\"` the browser would neither keep nor send it.",
        policy: "/account",
        key: ["cors_allow_credentials"],
        steps: [
          { method: "POST", path: "/account/login", credentials: "include" },
          { path: "/account", credentials: "include" },
        ],
        expect: { preflight: null, sent: true, status: 200 },
      },
      {
        id: "any-header",
        title: "Any header, with cookies",
        lesson:
          "A `*` would cover nothing here. So where the policy says `*`, the module sends back the very names that were asked for.",
        policy: "/tools",
        key: ["cors_allow_headers", "cors_allow_credentials"],
        steps: [
          {
            method: "POST",
            path: "/tools",
            headers: { "X-Batch": "12", "X-Trace": "on" },
            credentials: "include",
          },
        ],
        expect: { preflight: 204, sent: true, status: 200 },
      },
      {
        id: "wildcard-credentials",
        title: "Cookies, where everybody may read",
        lesson:
          "If `*` were good enough here, every page on the web could read what your cookies open. The browser does not allow it.",
        policy: "/public",
        key: ["cors_allow_origin"],
        steps: [{ path: "/public", credentials: "include" }],
        expect: { preflight: null, sent: true, status: null },
      },
    ],
  },
  {
    id: "strangers",
    title: "Requests from a stranger’s page",
    intro:
      "The same requests once more, sent by a page of another origin. It sits in the frame below and has its own scripts.",
    cases: [
      {
        id: "stranger-get",
        title: "A stranger’s GET",
        from: "stranger",
        lesson:
          "The request arrives and is answered: CORS guards what a script may read, not what it may send. Keep `GET` free of side effects.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/greeting" }],
        expect: { preflight: null, sent: true, status: null },
      },
      {
        id: "stranger-delete",
        title: "A stranger’s DELETE",
        from: "stranger",
        lesson: "Here the preflight protects the application: it is refused with a 403, and the `DELETE` never leaves the browser.",
        policy: "/notes/",
        key: ["cors_allow_origin"],
        steps: [{ method: "DELETE", path: "/notes/7" }],
        expect: { preflight: 403, sent: false, status: null },
      },
    ],
  },
];

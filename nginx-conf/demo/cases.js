// The cases of the page, and the expected outcome of each.
//
// A case runs its steps in order; the last one decides. `policy` is the location of demo.conf that
// answers, `key` are the directives there that matter most.
//
// In `expect`, `preflight` is the status of the preflight's answer (null: the browser sends none),
// `sent` whether the browser sent the request itself, and `status` what the script reads
// (null: nothing).

export const groups = [
  {
    id: "sent-at-once",
    title: "Requests without a preflight",
    intro:
      "A request that an HTML form could have sent, a `GET` or a `POST` without special headers, is sent at once. " +
      "When the answer is there, the browser decides by its headers whether the script may read it.",
    cases: [
      {
        id: "simple-get",
        title: "A plain GET",
        lesson:
          "The browser adds `Origin` itself; no script can change it. The answer names the origin that may read it.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/greeting" }],
        expect: { preflight: null, sent: true, status: 200 },
      },
      {
        id: "wildcard",
        title: "An answer for every origin",
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
          "The application sends `X-Total-Count` and `X-Search-Cost`. Both reach the browser; the script can read only the one that is exposed.",
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
          "Errors have the CORS headers, too. Without them a script could not tell a 503 from a lost connection: both would be a `TypeError`.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/maintenance" }],
        expect: { preflight: null, sent: true, status: 503 },
      },
      {
        id: "one-authority",
        title: "An application with a CORS header of its own",
        lesson:
          "The application answers with `Access-Control-Allow-Origin: *`. With a second one beside it the browser would block the answer, so the module replaces it.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/legacy" }],
        expect: { preflight: null, sent: true, status: 200 },
      },
    ],
  },
  {
    id: "asked-first",
    title: "Requests with a preflight",
    intro:
      "For any other method, header or content type the browser first sends a preflight: `OPTIONS`, with the " +
      "method and the header names of the request. nginx answers it; it does not reach the application.",
    cases: [
      {
        id: "put-json",
        title: "A PUT with a JSON body",
        lesson: "Both the method and the content type need a preflight, and both are in the lists.",
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
        lesson: "The method alone is enough for a preflight: there is no special header.",
        policy: "/notes/",
        key: ["cors_allow_methods"],
        steps: [{ method: "DELETE", path: "/notes/7" }],
        expect: { preflight: 204, sent: true, status: 204 },
      },
      {
        id: "authorization",
        title: "A token, and the answer without one",
        lesson:
          "A preflight never carries the token, so it has to be answered before authentication. A request without the token gets a 401 that the script can read.",
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
        title: "A method that is not in the list",
        lesson:
          "The preflight still gets 204 with the list. `PATCH` is not in it, so the browser does not send the request. nginx logs and counts `method_denied`.",
        policy: "/notes/",
        key: ["cors_allow_methods"],
        steps: [{ method: "PATCH", path: "/notes/7" }],
        expect: { preflight: 204, sent: false, status: null },
      },
      {
        id: "denied-header",
        title: "A header that is not in the list",
        lesson:
          "With a header of its own, even a `GET` needs a preflight. It still gets 204 with the list, the browser refuses, and nginx logs and counts `header_denied`.",
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
      "A script has to ask for cookies with `credentials: \"include\"`. Then the browser is stricter: the answer has to " +
      "name the origin and say `Access-Control-Allow-Credentials: true`. A `*` is no wildcard then.",
    cases: [
      {
        id: "cookie",
        title: "Signing in, then asking with the cookie",
        lesson:
          "The first answer sets a cookie, and the second request carries it. Without `credentials: \"include\"` the browser would neither store nor send it.",
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
          "A `*` would allow no header here. So where the policy says `*`, the module sends back the requested names.",
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
        title: "Cookies, where every origin is allowed",
        lesson:
          "If `*` allowed this, every page on the web could read what the user can read. The browser blocks it.",
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
      "The same requests, sent by a page of another origin, which is in the frame below. The API does not allow its origin.",
    cases: [
      {
        id: "stranger-get",
        title: "A stranger’s GET",
        from: "stranger",
        lesson:
          "The request is sent and answered: CORS controls what a script can read, not what it can send. A `GET` should therefore change nothing on the server.",
        policy: "/",
        key: ["cors_allow_origin"],
        steps: [{ path: "/greeting" }],
        expect: { preflight: null, sent: true, status: null },
      },
      {
        id: "stranger-delete",
        title: "A stranger’s DELETE",
        from: "stranger",
        lesson: "Here the preflight protects the application: it gets 403, and the browser does not send the `DELETE`.",
        policy: "/notes/",
        key: ["cors_allow_origin"],
        steps: [{ method: "DELETE", path: "/notes/7" }],
        expect: { preflight: 403, sent: false, status: null },
      },
    ],
  },
];

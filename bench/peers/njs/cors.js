// origins.js holds { exact: { "https://app.example.com": true, ... }, patterns: [ /^...$/, ... ] }
import origins from "origins.js";

function is_allowed(origin) {
    return origins.exact[origin] === true || origins.patterns.some((pattern) => pattern.test(origin));
}

function answer_preflight(r) {
    if (!is_allowed(r.headersIn.Origin)) {
        r.return(403, "");
        return;
    }
    r.headersOut["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE";
    r.headersOut["Access-Control-Allow-Headers"] = "Content-Type, Authorization";
    r.headersOut["Access-Control-Max-Age"] = "7200";
    r.return(204);
}

// Runs for preflights too.
function decorate(r) {
    const origin = r.headersIn.Origin;
    r.headersOut["Vary"] = "Origin";
    if (origin !== undefined && is_allowed(origin)) {
        r.headersOut["Access-Control-Allow-Origin"] = origin;
    } else {
        delete r.headersOut["Access-Control-Allow-Origin"];
    }
}

export default { answer_preflight, decorate };

function answer_preflight(r) {
    if (!r.variables.cors_origin) {
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
    const origin = r.variables.cors_origin;
    r.headersOut["Vary"] = "Origin";
    if (origin) {
        r.headersOut["Access-Control-Allow-Origin"] = origin;
    } else {
        delete r.headersOut["Access-Control-Allow-Origin"];
    }
}

export default { answer_preflight, decorate };

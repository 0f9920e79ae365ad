#!/usr/bin/env bash
# Prints docs/directives.md as a manual page.
set -euo pipefail
cd "$(dirname "$0")/.."

awk -v version="$(tools/version.sh)" '
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/—/, "\\(em", text)
    sub(/^[.\x27]/, "\\\\\\&&", text)
    return text
}

# Code in bold, links as their text with the address behind it.
function inline(text,    parts, count, i, out, link, address) {
    count = split(text, parts, "`")
    out = ""
    for (i = 1; i <= count; i++) {
        if (i % 2 == 0) {
            out = out "\\fB" escaped(parts[i]) "\\fR"
            continue
        }
        while (match(parts[i], /\[[^]]*\]\([^)]*\)/)) {
            link = substr(parts[i], RSTART + 1, RLENGTH - 2)
            address = link
            sub(/\]\(.*/, "", link)
            sub(/.*\]\(/, "", address)
            out = out escaped(substr(parts[i], 1, RSTART - 1) link) " <" escaped(address) ">"
            parts[i] = substr(parts[i], RSTART + RLENGTH)
        }
        out = out escaped(parts[i])
    }
    sub(/^[.\x27]/, "\\\\\\&&", out)
    return out
}

/^```/ {
    code = !code
    if (code && paragraph == 1) print ".PP"
    print (code ? ".RS 4\n.nf" : ".fi\n.RE")
    paragraph = 0
    next
}
code { print escaped($0) ""; next }
/^# Module / {
    print ".TH NGX_HTTP_CORS_MODULE 8 \"\" \"ngx_http_cors_module " version "\" \"nginx modules\""
    print ".SH NAME\n" $3 " \\- answers for cross\\-origin requests in nginx"
    print ".SH DESCRIPTION"
    paragraph = -1
    next
}
/^## / { print ".SH " toupper(escaped(substr($0, 4))); paragraph = -1; next }
/^### / { print ".SS " escaped(substr($0, 5)); paragraph = -1; next }
/^- (Syntax|Default|Context|Since): / {
    label = substr($2, 1)
    sub(/^- [A-Za-z]+: /, "")
    if (label != "Syntax:") print ".br"
    paragraph = 0
    print label " " inline($0)
    next
}
/^- / { paragraph = 0; print ".IP \\(bu 2"; print inline(substr($0, 3)); next }
/^$/ { if (!paragraph) paragraph = 1; next } # none straight after a heading, which is -1
{
    sub(/^  /, "")
    if (paragraph == 1) print ".PP"
    paragraph = 0
    print inline($0)
}
END { print ".SH SEE ALSO\n.BR nginx (8)" }
' docs/directives.md

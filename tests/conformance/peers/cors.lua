local cors = {}

cors.policies = {
    one = {
        origins = { ["https://www.foo.com"] = true },
        pattern = [[^https://([a-z0-9_-]+\.)+bar\.com$]],
        methods = "GET, OPTIONS",
        headers = "x-header-1, x-header-2",
        exposed = "x-header-3, x-header-4",
        max_age = "3600",
        credentials = true,
    },
    two = { origins = { ["https://www.foo.com"] = true }, methods = "*" },
    anyone = { methods = "PUT" },
    anything = { methods = "*", headers = "*" },
    anyone_with_credentials = { credentials = true },
}

-- What Access-Control-Allow-Origin is to be; nil for nobody.
local function allowed(policy)
    local origin = ngx.var.http_origin
    if not policy.origins then
        return policy.credentials and origin or "*"
    end
    if not origin then
        return nil
    end
    if policy.origins[origin] or policy.pattern and ngx.re.find(origin, policy.pattern, "jo") then
        return origin
    end
    return nil
end

function cors.answer_preflight(policy)
    local method = ngx.var.http_access_control_request_method
    if ngx.req.get_method() ~= "OPTIONS" or not ngx.var.http_origin or not method then
        return
    end
    if not allowed(policy) then
        ngx.status = 403
        ngx.send_headers()
        return ngx.exit(403)
    end
    ngx.header["Access-Control-Allow-Methods"] = policy.methods or method
    ngx.header["Access-Control-Allow-Headers"] = policy.headers
        or policy.credentials and ngx.var.http_access_control_request_headers
    ngx.header["Access-Control-Max-Age"] = policy.max_age
    return ngx.exit(204)
end

function cors.add_headers(policy)
    local origin = allowed(policy)
    local headers = ngx.header
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = origin and policy.credentials and "true" or nil
    headers["Access-Control-Expose-Headers"] = origin and policy.exposed
    if origin ~= "*" then
        headers["Vary"] = "Origin"
    end
end

return cors

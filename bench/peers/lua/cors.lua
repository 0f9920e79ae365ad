-- origins.lua holds { exact = { ["https://app.example.com"] = true, ... }, patterns = { "^...$", ... } }
local origins = require "origins"
local find = ngx.re.find

local cors = {}

local function is_allowed(origin)
    if origins.exact[origin] then
        return true
    end
    for _, pattern in ipairs(origins.patterns) do
        if find(origin, pattern, "jo") then
            return true
        end
    end
    return false
end

function cors.answer_preflight()
    if ngx.req.get_method() ~= "OPTIONS" then
        return
    end
    local asked = ngx.var.http_origin
    if not asked or not ngx.var.http_access_control_request_method then
        return
    end
    if not is_allowed(asked) then
        ngx.status = 403
        ngx.send_headers()
        return ngx.exit(403)
    end
    local headers = ngx.header
    headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
    headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
    headers["Access-Control-Max-Age"] = "7200"
    ngx.ctx.origin = asked
    return ngx.exit(204)
end

function cors.decorate()
    local headers = ngx.header
    headers["Vary"] = "Origin"
    local origin = ngx.var.http_origin
    if origin and (ngx.ctx.origin or is_allowed(origin)) then
        headers["Access-Control-Allow-Origin"] = origin
    else
        headers["Access-Control-Allow-Origin"] = nil
    end
end

return cors

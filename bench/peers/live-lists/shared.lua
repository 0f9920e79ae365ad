-- The value of an origin is the number of the last list that has it. A list counts when all of it has been read.
local origins = ngx.shared.origins

local shared = {}

-- `pause` lets requests in between.
function shared.load(path, pause)
    local number = (origins:get("number") or 0) + 1
    local read = 0
    for line in io.lines(path) do
        local stored, reason = origins:set(line, number)
        if not stored then
            ngx.log(ngx.ERR, "origins: ", reason)
            return
        end
        read = read + 1
        -- A pause of 0 ends before nginx looks for requests.
        if pause and read % 1000 == 0 then
            pause(0.001)
        end
    end
    origins:set("number", number)
end

function shared.load_later(path)
    ngx.timer.at(0, function()
        shared.load(path, ngx.sleep)
    end)
    ngx.header["Content-Length"] = 0
    ngx.send_headers()
end

function shared.decorate()
    local headers = ngx.header
    headers["Vary"] = "Origin"
    local origin = ngx.var.http_origin
    local number = origin and origins:get(origin)
    if number and number >= origins:get("number") then
        headers["Access-Control-Allow-Origin"] = origin
    end
end

return shared

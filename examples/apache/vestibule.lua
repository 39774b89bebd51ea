-- Asks Vestibule whether a request may pass. Apache has no module for this; mod_lua and LuaSocket do it.

local socket = require("socket")

-- CHANGE: where Vestibule listens
local HOST, PORT = "127.0.0.1", 8080

local SECONDS = 5
local IDENTITY = { "Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Remote-Account-Id", "X-Vestibule-Jwt" }

-- The status and the headers (names in lower case) that Vestibule answers; nil when it does not.
local function ask(question)
    local connection = socket.tcp()
    connection:settimeout(SECONDS)
    local status, headers
    if connection:connect(HOST, PORT) and connection:send(question) then
        local line = connection:receive("*l")
        status, headers = tonumber((line or ""):match("^HTTP/1%.1 (%d%d%d) ")), {}
        line = connection:receive("*l")
        while line and line ~= "" do
            local name, value = line:match("^([^:]+):%s*(.-)%s*$")
            if name then headers[name:lower()] = value end
            line = connection:receive("*l")
        end
        -- Half an answer is none.
        if not line then status = nil end
    end
    connection:close()
    return status, headers
end

-- What the browser claims does not count; some applications read Remote_User like Remote-User.
local function forget_claims(r)
    local claims = {}
    for name in pairs(r:headers_in_table()) do
        local plain = name:lower():gsub("_", "-")
        local identity = plain:find("^remote%-") or plain:find("^x%-vestibule%-")
        -- Nor what it says about the way it came; Apache says that itself.
        local way = plain == "forwarded" or plain == "x-real-ip" or plain:find("^x%-forwarded%-") or plain:find("^x%-original%-")
        if identity or way then claims[#claims + 1] = name end
    end
    for _, name in ipairs(claims) do r.headers_in[name] = nil end
end

function check(r)
    forget_claims(r)
    local scheme = r.is_https and "https" or "http"
    local lines = {
        "GET /verify HTTP/1.1",
        "Host: " .. HOST,
        "Connection: close",
        "X-Forwarded-Method: " .. r.method,
        "X-Forwarded-Proto: " .. scheme,
        "X-Forwarded-Host: " .. r.server_name .. ":" .. r.port,
        "X-Forwarded-Uri: " .. r.unparsed_uri,
        "X-Forwarded-For: " .. r.useragent_ip,
    }
    local cookie = r.headers_in["Cookie"]
    if cookie then lines[#lines + 1] = "Cookie: " .. cookie end
    local status, headers = ask(table.concat(lines, "\r\n") .. "\r\n\r\n")
    if status == 200 then
        for _, name in ipairs(IDENTITY) do
            local value = headers[name:lower()]
            if value then r.headers_in[name] = value end
        end
        return apache2.OK
    elseif status == 401 and headers["location"] then
        r.err_headers_out["Location"] = headers["location"]
        r.err_headers_out["Cache-Control"] = "no-store"
        return 303
    elseif status == 403 then
        r.err_headers_out["X-Vestibule-Reason"] = headers["x-vestibule-reason"]
        return 403
    end
    return 503
end

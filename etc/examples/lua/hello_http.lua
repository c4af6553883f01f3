-- An HTTP/1.1 server that greets: each request without a body gets the same kind of answer.
--
--     services = { hello = {
--         listen = "127.0.0.1:7201";
--         handler = { type = "lua"; script = "/usr/share/doc/drover/examples/lua/hello_http.lua";
--                     options = { greeting = "Hello"; }; };
--     }; };
--
-- It shows how data() keeps bytes until a request is complete. For real web sites use a web server.

local MAX_HEADER = 8192
local greeting = options.greeting or "Hello"

local function answer(status, body, close)
    return ("HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s"):format(
        status, #body, close and "Connection: close\r\n" or "", body)
end

local function refuse(conn, status)
    conn:write(answer(status, status .. "\n", true))
    conn:finish()
end

-- One request, from its first line to the empty line. Returns true if another one may follow.
local function respond(conn, header)
    local method, path, version = header:match("^(%u+) (%S+) HTTP/(1%.[01])\r\n")
    if not method then return refuse(conn, "400 Bad Request") end
    if method ~= "GET" then return refuse(conn, "405 Method Not Allowed") end

    local fields = header:lower()
    local close = version == "1.0" or fields:find("\r\nconnection: *close\r\n") ~= nil
    local who = conn.peer and conn.peer.ip or "client"
    conn:write(answer("200 OK", ("%s, %s! This is %s.\n"):format(greeting, who, path), close))
    if close then conn:finish() end
    return not close
end

-- Requests may come in pieces, and several may come at once.
function data(conn, bytes)
    local waiting = (conn.waiting or "") .. bytes
    while true do
        local _, last = waiting:find("\r\n\r\n", 1, true)
        if not last then break end
        if not respond(conn, waiting:sub(1, last)) then return end
        waiting = waiting:sub(last + 1)
    end
    if #waiting > MAX_HEADER then return refuse(conn, "431 Request Header Fields Too Large") end
    conn.waiting = waiting
end

-- A chat room: what one client says, all others hear.
--
--     services = { chat = {
--         listen = "127.0.0.1:7203";
--         workers = 1;              # each worker would be a room of its own
--         connections = 1000;
--         handler = { type = "lua"; script = "/usr/share/doc/drover/examples/lua/chat.lua"; framing = "line";
--                     options = { quiet = 600; }; };
--     }; };
--
-- The first line that a client sends is its name. A client that says nothing for `quiet` seconds is sent away.

local quiet = options.quiet or 600
local members = {}       -- connection -> true, for those that have a name

local function tell_all(text, except)
    for conn in pairs(members) do
        if conn ~= except then conn:reply(text) end
    end
end

local function name_is_taken(name)
    for conn in pairs(members) do
        if conn.name == name then return true end
    end
end

-- One timer for each client, which begins again with each line.
local function watch(conn)
    if conn.timer then conn.timer:cancel() end
    conn.timer = drover.after(quiet, function()
        conn:reply("* You were quiet for too long.")
        conn:finish()
    end)
end

function open(conn)
    watch(conn)
    return "* Your name?"
end

local function enter(conn, name)
    if not name:match("^%w+$") or #name > 16 then return "* A name has up to 16 letters and digits." end
    if name_is_taken(name) then return "* That name is taken." end
    conn.name = name
    tell_all("* " .. name .. " has come.")
    members[conn] = true
    return "* Welcome, " .. name .. "."
end

function request(conn, line)
    watch(conn)
    line = line:gsub("[^\32-\126\128-\255]", "")          -- no escape sequences for the terminals of others
    if not conn.name then return enter(conn, line) end
    if line == "/who" then
        local names = {}
        for member in pairs(members) do names[#names + 1] = member.name end
        table.sort(names)
        return "* Here: " .. table.concat(names, ", ")
    end
    tell_all(conn.name .. ": " .. line, conn)
end

-- The client has left, was cut off, or was sent away.
function close(conn, reason)
    conn.timer:cancel()
    if not members[conn] then return end
    members[conn] = nil
    tell_all("* " .. conn.name .. " has left.")
end

-- Checks lines of JSON (RFC 8259): the answer to each is "ok", or what is wrong and where.
--
--     services = { jsonlines = {
--         listen = "127.0.0.1:7202";
--         handler = { type = "lua"; script = "/usr/share/doc/drover/examples/lua/jsonlines.lua";
--                     framing = "line"; options = { max_depth = 100; }; };
--     }; };
--
--     $ printf '{"a": [1, 2.5e3, null]}\n{"a": }\n' | nc -N 127.0.0.1 7202
--     ok
--     byte 7: a value is missing

local max_depth = options.max_depth or 100

-- Each function reads from a place in the line, and returns the place after what it has read.

local function fail(place, what)
    error({ place = place, what = what })
end

local function skip_space(line, place)
    return line:match("^[ \t\r]*()", place)
end

local function read_string(line, place)
    local at = place + 1
    while true do
        at = line:match('^[^"\\\0-\31]*()', at)
        local char = line:sub(at, at)
        if char == '"' then return at + 1 end
        if char ~= "\\" then fail(at, "the string does not end, or has a control character") end
        local after = line:match('^\\["\\/bfnrt]()', at) or line:match("^\\u%x%x%x%x()", at)
        if not after then fail(at, "an escape is wrong") end
        at = after
    end
end

local function read_number(line, place)
    local after = line:match("^-?0()", place) or line:match("^-?[1-9]%d*()", place)
    if not after then fail(place, "a value is missing") end
    after = line:match("^%.%d+()", after) or after
    return line:match("^[eE][+-]?%d+()", after) or after
end

local read_value

-- The members of an array or an object, up to the bracket that closes it.
local function read_members(line, place, depth, closing, read_member)
    place = skip_space(line, place + 1)
    if line:sub(place, place) == closing then return place + 1 end
    while true do
        place = skip_space(line, read_member(line, place, depth))
        local char = line:sub(place, place)
        place = skip_space(line, place + 1)
        if char == closing then return place end
        if char ~= "," then fail(place - 1, "a comma or " .. closing .. " is missing") end
    end
end

local function read_pair(line, place, depth)
    if line:sub(place, place) ~= '"' then fail(place, "a name is missing") end
    place = skip_space(line, read_string(line, place))
    if line:sub(place, place) ~= ":" then fail(place, "a colon is missing") end
    return read_value(line, skip_space(line, place + 1), depth)
end

local function read_word(line, place)
    local word = line:match("^%a+", place)
    if word == "true" or word == "false" or word == "null" then return place + #word end
    fail(place, "not a word of JSON")
end

function read_value(line, place, depth)
    local char = line:sub(place, place)
    if depth > max_depth then fail(place, "too deep") end
    if char == "{" then return read_members(line, place, depth + 1, "}", read_pair) end
    if char == "[" then return read_members(line, place, depth + 1, "]", read_value) end
    if char == '"' then return read_string(line, place) end
    if char:match("%a") then return read_word(line, place) end
    return read_number(line, place)
end

local function check(line)
    local place = skip_space(line, read_value(line, skip_space(line, 1), 0))
    if place <= #line then fail(place, "something follows the value") end
    if not utf8.len(line) then fail(select(2, utf8.len(line)), "not UTF-8") end
end

function request(conn, line)
    local ok, wrong = pcall(check, line)
    if ok then return "ok" end
    if not wrong.place then error(wrong) end     -- a mistake of this script, not of the client
    return ("byte %d: %s"):format(wrong.place, wrong.what)
end

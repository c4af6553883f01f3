-- A calculator: each line is an expression, each answer its value.
--
--     services = { calc = {
--         listen = "127.0.0.1:7200";
--         handler = { type = "lua"; script = "/usr/share/doc/drover/examples/lua/calc.lua"; framing = "line"; };
--     }; };
--
--     $ echo '2 * (3 + 4) ^ 2' | nc -N 127.0.0.1 7200
--     98.0
--
-- It reads the expression itself. load() would do that in one line, but then clients could run any Lua code.

local text, place        -- the expression, and where it is being read

local function next_char()
    place = text:match("^%s*()", place)
    return text:sub(place, place)
end

local function take(chars)
    local char = next_char()
    if char ~= "" and chars:find(char, 1, true) then
        place = place + 1
        return char
    end
end

local sum       -- defined below: an expression in parentheses is a sum again

local function number()
    if take("(") then
        local value = sum()
        if not take(")") then error("missing )", 0) end
        return value
    end
    if take("-") then return -number() end
    next_char()
    local digits = text:match("^%d+%.?%d*", place)
    if not digits then error("number expected at " .. place, 0) end
    place = place + #digits
    return tonumber(digits)
end

local function power()
    local value = number()
    if take("^") then return value ^ power() end
    return value
end

local function product()
    local value = power()
    while true do
        local op = take("*/")
        if not op then return value end
        if op == "*" then value = value * power() else value = value / power() end
    end
end

function sum()
    local value = product()
    while true do
        local op = take("+-")
        if not op then return value end
        if op == "+" then value = value + product() else value = value - product() end
    end
end

local function calculate(line)
    text, place = line, 1
    local value = sum()
    if next_char() ~= "" then error("not understood: " .. text:sub(place), 0) end
    return value
end

-- A mistake of the client is an answer, too. An error that is not caught would close the connection.
function request(conn, line)
    local ok, result = pcall(calculate, line)
    return ok and tostring(result) or "error: " .. tostring(result)
end

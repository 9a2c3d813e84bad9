-- Asks Portico about a request: `http-request lua.portico_check role=Admin` in haproxy.cfg.

local CHECK = "http://127.0.0.1:8080/auth/check?"

-- HAProxy's client tries four times, so that a question is given up after four times this.
local TIMEOUT_MS = 1500

-- What Portico is told of the client's headers.
local ASKED_WITH = { "cookie", "accept", "sec-fetch-mode", "x-requested-with" }

-- What the application is told of Portico's.
local IDENTITY = {
    "x-portico-account",
    "x-portico-email",
    "x-portico-name",
    "x-portico-organization",
    "x-portico-role",
    "x-portico-access-groups",
    "authorization",
}

-- What the client is told of a refusal.
local REFUSAL = { "location", "content-type", "cache-control", "retry-after", "content-security-policy" }

-- HAProxy's lists of a header's values begin at 0, those of its client and of its replies at 1.
local function values(headers, name)
    local found = headers[name]
    if found == nil then
        return nil
    end
    local list = {}
    for index = 0, #found do
        list[#list + 1] = found[index]
    end
    return list
end

local function question(txn)
    local headers = txn.http:req_get_headers()
    local asked = {
        ["x-forwarded-method"] = { txn.sf:method() },
        ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
        ["x-forwarded-host"] = values(headers, "host"),
        ["x-forwarded-uri"] = { txn.sf:pathq() },
    }
    for _, name in ipairs(ASKED_WITH) do
        asked[name] = values(headers, name)
    end
    return asked
end

local function away(txn)
    local reply = txn:reply({ status = 503, reason = "Service Unavailable" })
    reply:add_header("content-type", "text/plain")
    reply:add_header("cache-control", "no-store")
    reply:add_header("retry-after", "5")
    reply:set_body("Sign-in is away for the moment. Please try again.\n")
    txn:done(reply)
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, reason = answer.reason })
    for _, name in ipairs(REFUSAL) do
        for _, value in ipairs(values(answer.headers, name) or {}) do
            reply:add_header(name, value)
        end
    end
    reply:set_body(answer.body or "")
    txn:done(reply)
end

core.register_action("portico_check", { "http-req" }, function(txn, demand)
    local answer = core.httpclient():get({
        url = CHECK .. demand,
        headers = question(txn),
        timeout = TIMEOUT_MS,
    })
    if answer == nil or not answer.status or answer.status < 200 or answer.status >= 500 then
        return away(txn)
    end
    if answer.status ~= 200 then
        return refuse(txn, answer)
    end
    for _, name in ipairs(IDENTITY) do
        txn.http:req_del_header(name)
        for _, value in ipairs(values(answer.headers, name) or {}) do
            txn.http:req_add_header(name, value)
        end
    end
    -- Last: whatever failed above has let nobody in.
    txn:set_var("txn.portico_let_in", true)
end, 1)

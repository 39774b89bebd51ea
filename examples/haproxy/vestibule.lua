-- Asks Vestibule whether a request may pass. Nothing in here needs a change.
--
--   http-request lua.vestibule <address of /verify> <application's address: scheme, host, port>
--
-- Sets txn.vestibule to "yes", "no" or "sign-in", with txn.vestibule_reason and txn.vestibule_location, and the identity
-- headers of the request. Sets nothing when there is no answer: the configuration refuses then.

local IDENTITY = {
    "remote-user", "remote-name", "remote-email", "remote-groups", "remote-account-id", "x-vestibule-jwt",
}
local MILLISECONDS = 5000

-- Values of a header, which HAProxy counts from 0, in one line.
local function joined(values, separator)
    if values == nil then return nil end
    local all, index = {}, 0
    while values[index] ~= nil do
        all[#all + 1] = values[index]
        index = index + 1
    end
    return table.concat(all, separator)
end

local function ask(txn, verify, address)
    local scheme, host = address:match("^(https?)://([^/]+)$")
    if scheme == nil then error("not an address without a path: " .. address) end
    local headers = {
        ["x-forwarded-method"] = { txn.f:method() },
        ["x-forwarded-proto"] = { scheme },
        ["x-forwarded-host"] = { host },
        ["x-forwarded-uri"] = { txn.f:pathq() },
        ["x-forwarded-for"] = { txn.f:src() },
    }
    local cookie = joined(txn.http:req_get_headers()["cookie"], "; ")
    if cookie ~= nil then headers["cookie"] = { cookie } end
    return core.httpclient():get({ url = verify, headers = headers, timeout = MILLISECONDS })
end

core.register_action("vestibule", { "http-req" }, function(txn, verify, address)
    local answer = ask(txn, verify, address)
    local function said(name) return joined(answer.headers and answer.headers[name], ",") end
    if answer.status == 200 then
        for _, name in ipairs(IDENTITY) do
            local value = said(name)
            if value ~= nil then txn.http:req_set_header(name, value) end
        end
        txn:set_var("txn.vestibule", "yes")
    elseif answer.status == 401 and said("location") ~= nil then
        txn:set_var("txn.vestibule_location", said("location"))
        txn:set_var("txn.vestibule", "sign-in")
    elseif answer.status == 403 then
        txn:set_var("txn.vestibule_reason", said("x-vestibule-reason") or "")
        txn:set_var("txn.vestibule", "no")
    end
end, 2)

-- wrk script: sends the session cookies of a file in turn. Arguments after `--`: file with a cookie value on each line,
-- cookie name, path. Ends with: RESULT requests microseconds refused broken
local requests, place = {}, 0

function init(args)
  local file, name, path = args[1], args[2], args[3]
  for cookie in io.lines(file) do
    requests[#requests + 1] = wrk.format("GET", path, {
      ["Host"] = "localhost",
      ["X-Forwarded-For"] = "203.0.113.9",
      ["X-Forwarded-Method"] = "GET",
      ["X-Forwarded-Proto"] = "https",
      ["X-Forwarded-Host"] = "tasks.example.org",
      ["X-Forwarded-Uri"] = "/list/7",
      ["Cookie"] = "theme=dark; " .. name .. "=" .. cookie,
    })
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

-- No `response` function: it would cost the client more than the server under measurement. wrk counts 4xx and 5xx itself.
function done(summary)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout))
end

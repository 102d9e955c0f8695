-- Requests that wrk cannot describe with flags: another method, a body, several paths in turn.
-- Arguments after `--`: METHOD BODY_BYTES PATH*WEIGHT [PATH*WEIGHT ...]

local requests = {}
local turn = 0

function init(args)
   wrk.method = args[1]
   local size = tonumber(args[2])
   if size > 0 then
      wrk.body = string.rep("x", size)
      wrk.headers["Content-Type"] = "application/octet-stream"
   end
   for i = 3, #args do
      local path, weight = string.match(args[i], "^(.*)%*(%d+)$")
      wrk.path = path
      local text = wrk.format()
      for _ = 1, tonumber(weight) do requests[#requests + 1] = text end
   end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

-- With one slow request in fifty, the 99th percentile of the fast ones is the 97.02nd of all of them.
function done(summary, latency, requests)
   io.write(string.format("Percentile 97.02: %.2fus\n", latency:percentile(97.02)))
end

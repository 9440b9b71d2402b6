-- Load for wrk: takes requests at random from a file, and verifies the answers.
--
-- BENCH_REQUESTS  one request a line, fields separated by tabs: method, host, path, token, body
-- BENCH_STATUS    the only status that counts
-- BENCH_LENGTH    the only body length that counts
-- BENCH_SEED      first number of this run: makes bodies with @SEQUENCE@ unique between runs
-- BENCH_STOP      stop after this many answers (0: run for the time that wrk was given)
-- BENCH_CHECK     each: status and length of every answer are compared here, which costs wrk as much
--                 as everything else it does; sum: wrk counts answers, bytes and bad statuses
--                 itself, and who reads the summary compares the sums
--
-- The data set is made so that all answers to one workload have the same length, so the check is
-- exact. A summary in JSON goes to stderr, where wrk itself writes nothing.

local MARK = "@SEQUENCE@"
local expected_status = tonumber(os.getenv("BENCH_STATUS"))
local expected_length = tonumber(os.getenv("BENCH_LENGTH"))
local stop_after = tonumber(os.getenv("BENCH_STOP") or "0")
local checks_each = os.getenv("BENCH_CHECK") ~= "sum"
local threads = {}
local requests, tails = {}, {}
local sequence = 0

ok, bad, bad_status, bad_length = 0, 0, 0, 0

function setup(thread)
   table.insert(threads, thread)
end

local function head(method, host, path, token, length)
   local lines = { method .. " " .. path .. " HTTP/1.1", "Host: " .. host,
                   "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 bench" }
   if token ~= "" then
      lines[#lines + 1] = "Authorization: Bearer " .. token
   end
   if length > 0 then
      lines[#lines + 1] = "Content-Type: application/json"
      lines[#lines + 1] = "Content-Length: " .. length
   end
   return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- The number has as many digits as the mark has letters, so the length of the body stands.
local function add(line)
   local method, host, path, token, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
   local whole = head(method, host, path, token, #body) .. body
   local first, last = whole:find(MARK, 1, true)
   if first then
      requests[#requests + 1] = whole:sub(1, first - 1)
      tails[#tails + 1] = whole:sub(last + 1)
   else
      requests[#requests + 1] = whole
   end
end

function init(args)
   sequence = tonumber(os.getenv("BENCH_SEED") or "0")
   math.randomseed(sequence + 1)
   for line in io.lines(os.getenv("BENCH_REQUESTS")) do
      add(line)
   end
end

local random = math.random

function request()
   local n = random(#requests)
   local tail = tails[n]
   if tail == nil then
      return requests[n]
   end
   sequence = sequence + 1
   return requests[n] .. string.format("%0" .. #MARK .. "d", sequence) .. tail
end

local function check(status, headers, body)
   if status == expected_status and #body == expected_length then
      ok = ok + 1
   else
      bad, bad_status, bad_length = bad + 1, status, #body
   end
   if stop_after > 0 and ok + bad >= stop_after then
      wrk.thread:stop()
   end
end

-- wrk copies head and body of every answer into Lua as soon as this exists.
if checks_each then
   response = check
end

function done(summary, latency, _)
   local sum = { ok = 0, bad = 0, bad_status = 0, bad_length = 0 }
   for _, thread in ipairs(threads) do
      sum.ok = sum.ok + thread:get("ok")
      sum.bad = sum.bad + thread:get("bad")
      sum.bad_status = math.max(sum.bad_status, thread:get("bad_status"))
      sum.bad_length = math.max(sum.bad_length, thread:get("bad_length"))
   end
   local errors = summary.errors
   if not checks_each then
      sum.ok, sum.bad = summary.requests - errors.status, errors.status
   end
   io.stderr:write(string.format(
      '{"ok":%d,"bad":%d,"bad_status":%d,"bad_length":%d,"socket_errors":%d,"bytes":%.0f,"seconds":%.6f,'
      .. '"p50_us":%d,"p99_us":%d}\n',
      sum.ok, sum.bad, sum.bad_status, sum.bad_length,
      errors.connect + errors.read + errors.write + errors.timeout,
      summary.bytes, summary.duration / 1e6, latency:percentile(50), latency:percentile(99)))
end

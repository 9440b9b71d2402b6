-- Token buckets, each as one number: the time at which it will be full again (a full bucket has no
-- key). A request takes a token of every bucket or of none.
--
-- keys: buckets; args: for each the time to fill it and the share of one token, in µs.
-- Returns the time to wait (0: allowed), the tokens left, and when the emptiest bucket will be full;
-- times in µs.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, wait, left, reset = {}, 0, nil, 0
for i, key in ipairs(KEYS) do
    local period, token = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local before = math.max(tonumber(redis.call('GET', key) or '0'), now)
    full[i] = before + token
    wait = math.max(wait, full[i] - now - period)
    local room = math.floor((period - (full[i] - now)) / token)
    if not left or room < left then
        left = room
    end
    reset = math.max(reset, full[i] - now)
end
if wait > 0 then
    return { wait, 0, reset }
end
for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
end
return { 0, left, reset }

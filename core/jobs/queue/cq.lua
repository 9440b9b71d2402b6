#!lua name=cq1

-- The dispatch index of the queue: which jobs are worth claiming, and whose turn it is.
--
-- It may be lost at any moment; spark.jobs in PostgreSQL is the truth, and the reconcile rebuilds
-- this from there. All keys of a shard carry its tag, given as KEYS[1]:
--
--   <tag>:ids          set of the ids that are in a list below (makes pushing idempotent)
--   <tag>:r:<site>     list of a site's ids that wait; site "-" is the platform
--   <tag>:ring         list of the sites that have work: each turn takes one job of one site
--   <tag>:w:<worker>   list of "id:site" that a worker has taken and is not done with
--   <tag>:workers      set of the workers that have such a list, so that none is forgotten
--   <tag>:bell         at most 64 tokens; idle workers block on it
--   <tag>:progress     hash id → JSON of running jobs, for whoever watches
--
-- Every function is bounded: at most 1000 members a call.

local MEMBERS_MAX = 1000
local BELL_MAX = 64

local function ring_bell(tag, count)
    local room = BELL_MAX - redis.call('LLEN', tag .. ':bell')
    for _ = 1, math.min(count, room) do
        redis.call('RPUSH', tag .. ':bell', '1')
    end
end

-- A site joins the ring when its list begins to have members.
local function push(tag, id, site)
    if redis.call('RPUSH', tag .. ':r:' .. site, id) == 1 then
        redis.call('RPUSH', tag .. ':ring', site)
    end
end

-- args: id, site, id, site … Returns how many were not there yet.
local function enq(keys, args)
    local tag = keys[1]
    local added = 0
    for i = 1, math.min(#args, 2 * MEMBERS_MAX), 2 do
        if redis.call('SADD', tag .. ':ids', args[i]) == 1 then
            push(tag, args[i], args[i + 1])
            added = added + 1
        end
    end
    ring_bell(tag, added)
    return added
end

-- What a worker holds: how many of each site, and of all.
local function held_by(tag, worker)
    local held = {}
    local members = redis.call('LRANGE', tag .. ':w:' .. worker, 0, MEMBERS_MAX - 1)
    for _, member in ipairs(members) do
        local site = string.match(member, ':(.*)$')
        held[site] = (held[site] or 0) + 1
    end
    return held, #members
end

-- How many more a site may have: no more of a worker's slots than it leaves free, so that there are
-- free ones whoever comes next. The platform's own jobs have no such limit.
local function room_of(site, held, free)
    if site == '-' then
        return free
    end
    local own = held[site] or 0
    return own < free and math.max(1, math.floor((free - own) / 2)) or 0
end

-- args: worker, most, slots (a worker of an older version gives none). Takes up to `most` ids, an equal share of each site in the ring; returns
-- "id:site" members, and the word "held" when a site has more that it may not have now. A site goes
-- to the end of the ring after its turn, so that what one claim could not reach comes first in the next.
local function claim(keys, args)
    local tag = keys[1]
    local ring = tag .. ':ring'
    local taken = {}
    local most = math.min(tonumber(args[2]), MEMBERS_MAX)
    local held, count = held_by(tag, args[1])
    local free = math.max(most, tonumber(args[3] or '1000000') - count)
    local passed = 0
    while #taken < most and passed <= redis.call('LLEN', ring) do
        local site = redis.call('LPOP', ring)
        if not site then
            break
        end
        local list = tag .. ':r:' .. site
        local others = redis.call('LLEN', ring)
        local share = math.max(1, math.floor((most - #taken) / (others + 1)))
        share = math.min(share, room_of(site, held, free))
        passed = share > 0 and 0 or passed + 1
        for _, id in ipairs(share > 0 and redis.call('LPOP', list, share) or {}) do
            taken[#taken + 1] = id .. ':' .. site
            held[site] = (held[site] or 0) + 1
            free = free - 1
        end
        if redis.call('EXISTS', list) == 1 then
            redis.call('RPUSH', ring, site)
        end
    end
    if #taken > 0 then
        redis.call('SADD', tag .. ':workers', args[1])
        redis.call('RPUSH', tag .. ':w:' .. args[1], unpack(taken))
    else
        -- Tokens of jobs that busy workers took without waiting.
        redis.call('DEL', tag .. ':bell')
    end
    if passed > 0 then
        taken[#taken + 1] = 'held'
    end
    return taken
end

-- args: worker, member … The worker is done with them, whatever became of them.
local function done(keys, args)
    local tag = keys[1]
    local ids = {}
    for i = 2, math.min(#args, MEMBERS_MAX + 1) do
        redis.call('LREM', tag .. ':w:' .. args[1], 1, args[i])
        ids[#ids + 1] = string.match(args[i], '^[^:]+')
    end
    if #ids == 0 then
        return 0
    end
    redis.call('HDEL', tag .. ':progress', unpack(ids))
    return redis.call('SREM', tag .. ':ids', unpack(ids))
end

-- args: worker, member … What it took and did not start goes back to where it was.
local function give_back(keys, args)
    local tag = keys[1]
    local count = 0
    for i = math.min(#args, MEMBERS_MAX + 1), 2, -1 do
        local id, site = string.match(args[i], '^([^:]+):(.*)$')
        if redis.call('LREM', tag .. ':w:' .. args[1], 1, args[i]) == 1 then
            if redis.call('LPUSH', tag .. ':r:' .. site, id) == 1 then
                redis.call('RPUSH', tag .. ':ring', site)
            end
            count = count + 1
        end
    end
    ring_bell(tag, count)
    return count
end

-- args: worker. Puts back what a dead worker had taken; PostgreSQL has already said what is still
-- to be done, and the claim drops the rest. Returns how many.
local function reap(keys, args)
    local tag = keys[1]
    local list = tag .. ':w:' .. args[1]
    local members = redis.call('LPOP', list, MEMBERS_MAX)
    if not members then
        redis.call('SREM', tag .. ':workers', args[1])
        return 0
    end
    for _, member in ipairs(members) do
        local id, site = string.match(member, '^([^:]+):(.*)$')
        push(tag, id, site)
    end
    ring_bell(tag, #members)
    return #members
end

-- args: id, site … For rows that wait although no list has them: forgets the ids and pushes again.
local function force(keys, args)
    for i = 1, math.min(#args, 2 * MEMBERS_MAX), 2 do
        redis.call('SREM', keys[1] .. ':ids', args[i])
    end
    return enq(keys, args)
end

-- keys: source list, list of the taker; args: most. Moves the head of a list to the taker's own, and
-- returns all that the taker now holds. What it still holds comes first and alone: a taker that
-- cannot store must not gather more and more.
local function take(keys, args)
    if redis.call('EXISTS', keys[2]) == 0 then
        local items = redis.call('LPOP', keys[1], math.min(tonumber(args[1]), 10000)) or {}
        for i = 1, #items, 1000 do
            redis.call('RPUSH', keys[2], unpack(items, i, math.min(i + 999, #items)))
        end
        return items
    end
    return redis.call('LRANGE', keys[2], 0, -1)
end

redis.register_function('cq_enq', enq)
redis.register_function('cq_claim', claim)
redis.register_function('cq_done', done)
redis.register_function('cq_return', give_back)
redis.register_function('cq_reap', reap)
redis.register_function('cq_force', force)
redis.register_function('cq_take', take)

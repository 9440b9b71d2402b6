#!lua name=cq1

-- The dispatch index of the queue: which jobs are waiting, and in which order sites are served.
--
-- The index may be lost at any time; spark.jobs in PostgreSQL is authoritative, and the
-- reconciliation rebuilds the index from it. All keys of a shard share its hash tag, which is
-- KEYS[1]:
--
--   <tag>:ids          set of the ids that are in a list below (makes a push idempotent)
--   <tag>:r:<site>     list of the waiting ids of a site; site "-" is the platform
--   <tag>:ring         round-robin list of the sites that have waiting jobs
--   <tag>:w:<worker>   list of the "id:site" members that a worker has taken and not finished
--   <tag>:workers      set of the workers that have such a list
--   <tag>:bell         wake-up list, at most 64 tokens; idle workers block on it
--   <tag>:progress     hash from id to JSON: progress of running jobs
--
-- Every call handles a bounded number of members, at most 1000 (take: 10000 items).

local MEMBERS_MAX = 1000
local WAKE_UPS_MAX = 64

local function wake_workers(tag, count)
    local room = WAKE_UPS_MAX - redis.call('LLEN', tag .. ':bell')
    for _ = 1, math.min(count, room) do
        redis.call('RPUSH', tag .. ':bell', '1')
    end
end

-- A site joins the round-robin list when its own list gets its first member.
local function push(tag, id, site)
    if redis.call('RPUSH', tag .. ':r:' .. site, id) == 1 then
        redis.call('RPUSH', tag .. ':ring', site)
    end
end

-- args: id, site, id, site … Returns how many were missing.
local function enq(keys, args)
    local tag = keys[1]
    local added = 0
    for i = 1, math.min(#args, 2 * MEMBERS_MAX), 2 do
        if redis.call('SADD', tag .. ':ids', args[i]) == 1 then
            push(tag, args[i], args[i + 1])
            added = added + 1
        end
    end
    wake_workers(tag, added)
    return added
end

-- Returns the number of members that a worker holds, per site and in total.
local function held_by(tag, worker)
    local held = {}
    local members = redis.call('LRANGE', tag .. ':w:' .. worker, 0, MEMBERS_MAX - 1)
    for _, member in ipairs(members) do
        local site = string.match(member, ':(.*)$')
        held[site] = (held[site] or 0) + 1
    end
    return held, #members
end

-- How many more slots a site may take: at most half of the difference between the free slots and
-- its own, at least one, and none once it holds as many as are free. So some slots stay free for
-- other sites. Jobs of the platform have no such limit.
local function room_of(site, held, free)
    if site == '-' then
        return free
    end
    local own = held[site] or 0
    return own < free and math.max(1, math.floor((free - own) / 2)) or 0
end

-- args: worker, most, slots (older workers omit it). Takes up to `most` ids, an equal share of each
-- site. Returns "id:site" members, and the word "held" if a site has more jobs waiting than it may
-- take now. After its turn a site moves to the end of the round-robin list, so the next claim
-- starts with the sites that this one did not reach.
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
        -- No job is waiting or allowed: the remaining tokens are stale.
        redis.call('DEL', tag .. ':bell')
    end
    if passed > 0 then
        taken[#taken + 1] = 'held'
    end
    return taken
end

-- args: worker, member … Removes finished jobs, whatever their result.
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

-- args: worker, member … Returns jobs that the worker took but did not start to the heads of their
-- lists.
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
    wake_workers(tag, count)
    return count
end

-- args: worker. Returns the jobs of a dead worker to their lists, at most 1000 a call; returns how
-- many. PostgreSQL has already decided which of them must run again; a claim drops the others.
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
    wake_workers(tag, #members)
    return #members
end

-- args: id, site … For queued rows that are in no list although their ids are in the set: removes
-- the ids and pushes again.
local function force(keys, args)
    for i = 1, math.min(#args, 2 * MEMBERS_MAX), 2 do
        redis.call('SREM', keys[1] .. ':ids', args[i])
    end
    return enq(keys, args)
end

-- keys: source list, consumer's list; args: most. Moves up to `most` items from the head of the
-- source to the consumer's list and returns them. If the consumer still holds items, returns only
-- those, so that a consumer that cannot store its items does not accumulate more.
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

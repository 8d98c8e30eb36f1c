-- Fair turns between owners, part of what every step shares. Messages of a lane stand in one queue of the broker, first
-- come, first served. So that the flood of one owner does not stand before everybody else, at most SHARE messages of an
-- owner stand there at a time; the others wait here, and each that begins lets the owner's next one follow.
local SHARE = 8
local LOST = 10 -- graces after which a message counts as lost, however long the queue is

local function standing(lane, owner) return P .. 'standing:' .. lane .. ':' .. owner end
local function stand(lane, owner, member)
  redis.call('ZADD', standing(lane, owner), stamp(NOW), member)
  redis.call('SADD', P .. 'lanes', lane .. ' ' .. owner)
end
local function stands(lane, owner, member)
  local sent = tonumber(redis.call('ZSCORE', standing(lane, owner), member))
  return sent ~= nil and sent > NOW - GRACE * LOST
end
local function begun(lane, owner, member) redis.call('ZREM', standing(lane, owner), member) end

-- How many more messages of this owner may be sent.
local function room(lane, owner)
  local key = standing(lane, owner)
  local left = SHARE - redis.call('ZCARD', key)
  if left > 0 then return left end
  return left + redis.call('ZREMRANGEBYSCORE', key, '-inf', stamp(NOW - GRACE * LOST))
end

-- Take the first `most` of those who wait in `key` with scores in that range, to be sent now.
local function follow_up(lane, owner, key, low, high, most)
  most = math.min(most, room(lane, owner))
  if most <= 0 then return {} end
  local members = redis.call('ZRANGEBYSCORE', key, low, high, 'LIMIT', 0, most)
  for _, member in ipairs(members) do
    redis.call('ZREM', key, member)
    stand(lane, owner, member)
  end
  return members
end

-- Submissions: a lane for each priority, in which they wait parked, in bands of scores.
local function submit_lane(id) return 'submit.' .. priority_of(id) end
local function submission_begun(id) begun(submit_lane(id), field(id, 'account'), id) end

-- Take up to `most` parked renders of an account that may go on. -> array of {id, priority}
local function unpark(account, most)
  local parked, slots = P .. 'parked:' .. account, P .. 'slots:' .. account
  local items = {}
  local refusal, refused_for = refused(account)
  if redis.call('EXISTS', parked) == 0 or quiet_left(account) > 0 or (refusal and refused_for > 0)
      or redis.call('SISMEMBER', P .. 'paused', account) == 1 then
    return items
  end
  local rate, tokens = pace(account)
  if rate then most = math.min(most, math.floor(tokens / 2)) end
  if circuit_open(account) or refusal then most = math.min(most, 1) end
  local function take(id)
    local priority = priority_of(id)
    wake_at(id, NOW + GRACE)
    table.insert(items, {id, priority})
  end
  -- Those that kept their slot need no other, and free it soonest.
  for _, id in ipairs(most > 0 and redis.call('ZRANGEBYSCORE', parked, '-inf', '(0', 'LIMIT', 0, most) or {}) do
    redis.call('ZREM', parked, id)
    most = most - 1
    each({id}, account, function()
      stand(submit_lane(id), account, id)
      take(id)
    end)
  end
  local limit = tonumber(redis.call('HGET', P .. 'limits', account))
  local free = limit and limit - redis.call('SCARD', slots) or math.huge
  for _, name in ipairs({'high', 'normal', 'low'}) do
    if limit then free = free - redis.call('ZCARD', standing('submit.' .. name, account)) end
  end
  for _, name in ipairs({'high', 'normal', 'low'}) do
    local low, high = stamp(PRIORITY[name] * 1e10), '(' .. stamp((PRIORITY[name] + 1) * 1e10)
    local ids = follow_up('submit.' .. name, account, parked, low, high, math.min(most, free))
    most, free = most - #ids, free - #ids
    each(ids, account, take)
  end
  return items
end

-- A new render is sent at once where its owner has room, else it waits for its turn. -> whether to send it
local function admit_submission(id)
  local lane, account = submit_lane(id), field(id, 'account')
  if room(lane, account) > 0 then
    stand(lane, account, id)
    wake_at(id, NOW + GRACE)
    return true
  end
  park(id, 'waits for its turn')
  return false
end

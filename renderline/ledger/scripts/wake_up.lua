-- Hooks that failed wait for their own time, and are listed by host meanwhile; part of what every step shares. Once a host
-- answers after an outage, those that had failed there are brought forward: two for each hook that it takes, so that
-- it is not flooded, and each hook once after an outage.
local OUTAGE = 5     -- failed calls in a row, of whatever hooks
local AT_ONCE = 8    -- hooks of an owner that wait for this host at a time
local FOR_EACH = 2   -- hooks that are brought forward for each one that the host takes
local REMEMBERED = 604800

local function retrying_hooks(owner, host) return K.retrying_hooks .. owner .. '|' .. host end

-- A hook is called, or its render begins anew: it is not brought forward any more.
local function leaves_retrying(id, index)
  local h = 'h' .. index
  local host = field(id, h .. ':failed_at')
  if host == '' then return end
  redis.call('ZREM', retrying_hooks(owner_of(id), host), id .. ':' .. index)
  redis.call('HDEL', render(id), h .. ':failed_at', h .. ':not_before')
end

-- Note a failed call. `forward`: the hook may be brought forward, but not before `wish` seconds from now, for which the
-- endpoint asked. -> until when the hook waits
local function failed_at_host(id, index, host, wait, wish, forward)
  local h, owner = 'h' .. index, owner_of(id)
  local until_, planned = NOW + wait - 0.25, tonumber(field(id, h .. ':planned'))
  -- A call that was made early puts off no later one.
  if planned and planned > NOW then until_ = math.max(math.min(until_, planned), NOW + wish) end
  redis.call('HDEL', render(id), h .. ':planned')
  if host == '' then return until_ end
  redis.call('HINCRBY', K.hook_outage .. host, 'failures', 1)
  redis.call('EXPIRE', K.hook_outage .. host, REMEMBERED + math.ceil(wait))
  if forward then
    redis.call('ZADD', retrying_hooks(owner, host), stamp(NOW), id .. ':' .. index)
    redis.call('ZADD', K.retrying_owners .. host, 'NX', next_turn(), owner)
    set(id, h .. ':failed_at', host)
    if wish > 0 then set(id, h .. ':not_before', stamp(NOW + wish)) end
  end
  return until_
end

-- Bring the owner's next hook forward that failed there before the outage ended. -> whether there was one
local function bring_forward(owner, host, ended)
  local key = retrying_hooks(owner, host)
  for _ = 1, 20 do
    local member = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. stamp(ended), 'LIMIT', 0, 1)[1]
    if not member then return false end
    redis.call('ZREM', key, member)
    local id, index = string.match(member, '^(.*):(%d+)$')
    local h, brought = 'h' .. index, false
    each({id}, nil, function()
      local f = redis.call('HMGET', render(id), h, h .. ':until', h .. ':not_before')
      local due, from = tonumber(f[2]), tonumber(f[3]) or 0
      redis.call('HDEL', render(id), h .. ':failed_at', h .. ':not_before')
      -- It may be gone, or settled by a version that knows nothing of this list.
      if f[1] ~= 'retrying' or not due or due <= NOW then return end
      if from < due then set(id, h .. ':planned', f[2]) end
      if from <= NOW then
        redis.call('HDEL', render(id), h .. ':until')
        hook_waits(id, tonumber(index), host)
        brought = true
      elseif from < due then
        set(id, h .. ':until', f[3])
      end
      wake_hooks(id)
    end)
    if brought then return true end
  end
  return false
end

-- Note that a host took a hook: it may have been away until now.
local function host_answered(host)
  local key = K.hook_outage .. host
  local o = redis.call('HMGET', key, 'failures', 'ended')
  if not o[1] and not o[2] then return end
  local ended = tonumber(o[2])
  if (tonumber(o[1]) or 0) >= OUTAGE then ended = NOW end
  if not ended then
    redis.call('DEL', key)
    return
  end
  redis.call('HSET', key, 'failures', 0, 'ended', stamp(ended))
  local left, more, some = FOR_EACH, true, false
  local owners = redis.call('ZRANGE', K.retrying_owners .. host, 0, 49)
  while more and left > 0 do
    more = false
    for _, owner in ipairs(owners) do
      if redis.call('ZCARD', hooks_waiting(owner, host)) >= AT_ONCE then
        some = true
      elseif left > 0 and bring_forward(owner, host, ended) then
        left, more, some = left - 1, true, true
        redis.call('ZADD', K.retrying_owners .. host, 'XX', next_turn(), owner)
      end
      if redis.call('EXISTS', retrying_hooks(owner, host)) == 0 then redis.call('ZREM', K.retrying_owners .. host, owner) end
    end
  end
  -- Nothing is left that failed before the outage ended.
  if not some then redis.call('DEL', key) end
end

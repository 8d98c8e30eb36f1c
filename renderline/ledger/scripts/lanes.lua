-- Fair turns between owners; part of what every step shares. The messages of a lane are in one broker queue, first
-- come, first served. At most SHARE messages of an owner are queued at a time, so that no owner floods the queue. The
-- others wait here; each one that begins lets the owner's next one follow.
local SHARE = 8
local LOST = 10 -- graces after which a queued message counts as lost

local function queued(lane, owner) return K.queued .. lane .. ':' .. owner end
local function enqueue(lane, owner, member)
  redis.call('ZADD', queued(lane, owner), stamp(NOW), member)
  redis.call('SADD', K.lanes, lane .. ' ' .. owner)
end
local function is_queued(lane, owner, member)
  local sent = tonumber(redis.call('ZSCORE', queued(lane, owner), member))
  return sent ~= nil and sent > NOW - GRACE * LOST
end
local function dequeue(lane, owner, member) redis.call('ZREM', queued(lane, owner), member) end

-- How many more messages of this owner may be sent.
local function room(lane, owner)
  local key = queued(lane, owner)
  local left = SHARE - redis.call('ZCARD', key)
  if left > 0 then return left end
  return left + redis.call('ZREMRANGEBYSCORE', key, '-inf', stamp(NOW - GRACE * LOST))
end

-- Take the first `most` members that wait in `key` with scores in that range, to be sent now.
local function take_waiting(lane, owner, key, low, high, most)
  most = math.min(most, room(lane, owner))
  if most <= 0 then return {} end
  local members = redis.call('ZRANGEBYSCORE', key, low, high, 'LIMIT', 0, most)
  for _, member in ipairs(members) do
    redis.call('ZREM', key, member)
    enqueue(lane, owner, member)
  end
  return members
end

-- Submissions: a lane for each priority. They wait parked, in bands of scores.
local function submit_lane(id) return 'submit.' .. priority_of(id) end
local function submission_dequeued(id) dequeue(submit_lane(id), field(id, 'account'), id) end

-- Take up to `most` parked renders of an account that may go on. -> array of {id, priority}
local function unpark(account, most)
  local parked, slots = K.parked .. account, K.slots .. account
  local items = {}
  local refusal, refused_for = refused(account)
  if redis.call('EXISTS', parked) == 0 or backoff_left(account) > 0 or (refusal and refused_for > 0)
      or redis.call('SISMEMBER', K.paused, account) == 1 then
    return items
  end
  local rate, tokens = rate_limit(account)
  if rate then most = math.min(most, math.floor(tokens / 2)) end
  if circuit_open(account) or refusal then most = math.min(most, 1) end
  local function take(id)
    local priority = priority_of(id)
    resend_at(id, NOW + GRACE)
    table.insert(items, {id, priority})
  end
  -- Renders that kept their slot need no other, and free it soonest.
  for _, id in ipairs(most > 0 and redis.call('ZRANGEBYSCORE', parked, '-inf', '(0', 'LIMIT', 0, most) or {}) do
    redis.call('ZREM', parked, id)
    most = most - 1
    each({id}, account, function()
      enqueue(submit_lane(id), account, id)
      take(id)
    end)
  end
  local limit = tonumber(redis.call('HGET', K.slot_limits, account))
  local free = limit and limit - redis.call('SCARD', slots) or math.huge
  for _, name in ipairs({'high', 'normal', 'low'}) do
    if limit then free = free - redis.call('ZCARD', queued('submit.' .. name, account)) end
  end
  for _, name in ipairs({'high', 'normal', 'low'}) do
    local low, high = stamp(PRIORITY[name] * 1e10), '(' .. stamp((PRIORITY[name] + 1) * 1e10)
    local ids = take_waiting('submit.' .. name, account, parked, low, high, math.min(most, free))
    most, free = most - #ids, free - #ids
    each(ids, account, take)
  end
  return items
end

-- Renders that need an API whose credentials some worker lacks. They wait in a band of scores for each API, so that
-- only workers with the credentials take them.
local APIS = {v3 = 1e11, v2 = 2e11}
local function band(api) return stamp(APIS[api]), '(' .. stamp(APIS[api] + 1e11) end
local function park_for(id, api)
  park(id, 'waits for a worker that has the ' .. api .. ' credentials of its account')
  local order = (tonumber(field(id, 't:accepted')) or NOW) + PRIORITY[priority_of(id)] * 1e10
  redis.call('ZADD', K.parked .. field(id, 'account'), stamp(APIS[api] + order), id)
end
local function waiting_for(account, api, most)
  local low, high = band(api)
  return redis.call('ZRANGEBYSCORE', K.parked .. account, low, high, 'LIMIT', 0, most)
end

-- Whether no worker has known a parked render's account or API for so long that the render has to fail.
local function abandoned(id, what, name, unknown_after)
  local read, since = pcall(field, id or '', 'unknown_since')
  since = read and tonumber(since)
  return since and NOW - since > unknown_after and not has_worker(what, name)
end

-- Send a new render at once if its owner has room; else it waits for its turn. -> whether to send it
local function admit_submission(id)
  local lane, account = submit_lane(id), field(id, 'account')
  if room(lane, account) > 0 then
    enqueue(lane, account, id)
    resend_at(id, NOW + GRACE)
    return true
  end
  park(id, 'waits for its turn')
  return false
end

-- Hooks: one lane. Hooks of an owner without room in the queue wait under ANYWHERE. Hooks of a host that has no free
-- thread, or an open circuit, wait under that host, so they delay no other host.
local ANYWHERE = '*'
local PATIENCE = 900 -- seconds that a hook waits for an earlier one; longer while that one runs
local SOON = 60      -- no hook waits for a retry that is further away
local function hooks_waiting(owner, host) return K.waiting_hooks .. owner .. '|' .. host end
local function host_circuit(host) return 'hook ' .. host end
-- A counter, since one millisecond may have many.
local function next_turn() return redis.call('INCR', K.hook_turn) end
local function ended_at(id) return tonumber(field(id, 't:' .. field(id, 'state'))) or NOW end

local function hook_waits(id, index, host)
  local owner = field(id, 'account')
  redis.call('ZADD', hooks_waiting(owner, host), stamp(ended_at(id)), id .. ':' .. index)
  redis.call('ZADD', K.hook_hosts .. owner, 'NX', next_turn(), host)
  redis.call('ZADD', K.hook_accounts, 'NX', next_turn(), owner)
  set(id, 'h' .. index .. ':waits', host, 'h' .. index .. ':waits_at', stamp(NOW))
end
local function hook_comes(id, index)
  local host, owner = field(id, 'h' .. index .. ':waits'), field(id, 'account')
  dequeue('hook', owner, id .. ':' .. index)
  if host ~= '' then
    redis.call('ZREM', hooks_waiting(owner, host), id .. ':' .. index)
    redis.call('HDEL', render(id), 'h' .. index .. ':waits', 'h' .. index .. ':waits_at')
  end
end

-- Whether a hook has to wait for an earlier one: a download whose outcome is part of this hook's body.
local function hook_is_early(id, index)
  local awaited = redis.call('HGET', render(id), 'awaited')
  -- A record of an older version, which kept the request's order.
  if not awaited then awaited = ',0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,' end
  local own = string.find(awaited, ',' .. index .. ',', 1, true)
  if own and redis.call('HEXISTS', render(id), 'awaited') == 1 then return false end
  for before in string.gmatch(awaited, '%d+') do
    local h = 'h' .. before
    if tonumber(before) < index and not SETTLED[field(id, h)] and field(id, h .. ':late') == '' then
      local tried = (tonumber(field(id, h .. ':until')) or 0) > NOW
      if tried or NOW < ended_at(id) + PATIENCE then return true end
    end
  end
  return false
end

-- Schedule the sweep's next visit to a finished render: when the first of its hooks may need it.
local function wake_hooks(id)
  local first = math.huge
  for index = 0, (tonumber(field(id, 'hooks')) or 0) - 1 do
    local h = 'h' .. index
    if not SETTLED[field(id, h)] then
      local until_ = tonumber(field(id, h .. ':until')) or 0
      local at = NOW + GRACE
      if until_ > NOW then at = until_ + 1.25
      elseif field(id, h .. ':waits') ~= '' then at = NOW + 3600
      elseif hook_is_early(id, index) then at = math.max(NOW, ended_at(id) + PATIENCE) + 1 end
      first = math.min(first, at)
    end
  end
  if first < math.huge then resend_at(id, first) else drop_resend(id) end
end

-- Queue the hooks of a finished render that may run now. -> array of {id, index} to be sent
local function queue_hooks(id)
  local sent, owner = {}, field(id, 'account')
  if not HOOKED[field(id, 'state')] then return sent end
  for index = 0, (tonumber(field(id, 'hooks')) or 0) - 1 do
    local h, member = 'h' .. index, id .. ':' .. index
    local waits_at = tonumber(field(id, h .. ':waits_at'))
    local waits = waits_at and NOW < waits_at + 3600
    if not SETTLED[field(id, h)] and not waits and (tonumber(field(id, h .. ':until')) or 0) <= NOW
        and not is_queued('hook', owner, member) and not hook_is_early(id, index) then
      if waits_at or room('hook', owner) > 0 then
        enqueue('hook', owner, member)
        table.insert(sent, {id, index})
      else
        hook_waits(id, index, ANYWHERE)
      end
    end
  end
  return sent
end

-- Take up to `most` of an owner's hooks that wait for a host.
local function next_of(owner, host, most)
  local sent, key = {}, hooks_waiting(owner, host)
  for _, member in ipairs(take_waiting('hook', owner, key, '-inf', '+inf', most)) do
    local id, index = string.match(member, '^(.*):(%d+)$')
    redis.call('HDEL', render(id), 'h' .. index .. ':waits', 'h' .. index .. ':waits_at')
    -- The worker may die before it publishes the message.
    wake_hooks(id)
    table.insert(sent, {id, tonumber(index)})
  end
  if redis.call('EXISTS', key) == 0 then redis.call('ZREM', K.hook_hosts .. owner, host) end
  return sent
end

-- Take up to `most` waiting hooks: owners in turn, and each owner's hosts in turn (`only`: this host alone). While a
-- host's circuit is open, one hook now and then probes.
local function take_hooks(most, only)
  local sent = {}
  for _, owner in ipairs(redis.call('ZRANGE', K.hook_accounts, 0, 49)) do
    if #sent >= most then break end
    local hosts = only and {only} or redis.call('ZRANGE', K.hook_hosts .. owner, 0, 9)
    if #hosts == 0 then redis.call('ZREM', K.hook_accounts, owner) end
    for _, host in ipairs(hosts) do
      local name, probe, may = host_circuit(host), false, #sent < most and room('hook', owner) > 0
      if may and redis.call('EXISTS', hooks_waiting(owner, host)) == 1 then
        if circuit_open(name) then
          may = (tonumber(redis.call('HGET', circuit(name), 'until')) or 0) <= NOW
          probe = may and probes(name, GRACE)
        end
        for _, one in ipairs(may and next_of(owner, host, 1) or {}) do
          if probe then set(one[1], 'h' .. one[2] .. ':probe', 1) end
          table.insert(sent, one)
          redis.call('ZADD', K.hook_accounts, 'XX', next_turn(), owner)
        end
      elseif may then
        redis.call('ZREM', K.hook_hosts .. owner, host)
      end
      redis.call('ZADD', K.hook_hosts .. owner, 'XX', next_turn(), host)
    end
  end
  return sent
end

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
local function submission_dequeued(id) dequeue(submit_lane(id), owner_of(id), id) end
local function submission_queued(id, owner, account)
  enqueue(submit_lane(id), owner, id)
  redis.call('SADD', K.accounts, account)
  takes_turns(owner, account)
end

local LANES = {'high', 'normal', 'low'}

-- Forget the turns of owners that have no submissions any more. -> those that have, by turn
local function waiting_owners(account)
  local owners, left, others = owners_of(account), {}, false
  if #owners == 1 and owners[1] == account then return owners end
  for _, owner in ipairs(owners) do
    local keys = {K.parked .. owner}
    for _, name in ipairs(LANES) do table.insert(keys, queued('submit.' .. name, owner)) end
    if redis.call('EXISTS', unpack(keys)) > 0 then
      table.insert(left, owner)
      others = others or owner ~= account
    elseif owner ~= account then
      redis.call('ZREM', K.owners .. account, owner)
    end
  end
  if not others then redis.call('DEL', K.owners .. account) end
  return left
end

-- Take up to `most` renders with `take_some(owner, how many)`: one of each owner in turn, until none has any more.
local function in_turn(account, owners, most, take_some)
  if #owners == 1 then
    return most > 0 and take_some(owners[1], most) or 0
  end
  local taken, any = 0, true
  while any do
    any = false
    for _, owner in ipairs(owners) do
      if taken < most and take_some(owner, 1) > 0 then
        taken, any = taken + 1, true
        redis.call('ZADD', K.owners .. account, 'XX', next_turn(), owner)
      end
    end
  end
  return taken
end

-- Take up to `most` parked renders of an account that may go on; its owners take turns. -> array of {id, priority}
local function unpark(account, most)
  local slots = K.slots .. account
  local items = {}
  if in_doubt() or unchecked(account) then return items end
  local refusal, refused_for = refused(account)
  if redis.call('EXISTS', K.parked .. account, K.owners .. account) == 0 or backoff_left(account) > 0
      or (refusal and refused_for > 0) or redis.call('SISMEMBER', K.paused, account) == 1 then
    return items
  end
  local owners = waiting_owners(account)
  local rate, tokens = rate_limit(account)
  if rate then most = math.min(most, math.floor(tokens / 2)) end
  if circuit_open(account) or refusal then most = math.min(most, 1) end
  local function take(id)
    local priority = priority_of(id)
    resend_at(id, NOW + GRACE)
    table.insert(items, {id, priority})
  end
  -- Renders that kept their slot need no other, and free it soonest.
  most = most - in_turn(account, owners, most, function(owner, some)
    local parked = K.parked .. owner
    local ids = redis.call('ZRANGEBYSCORE', parked, '-inf', '(0', 'LIMIT', 0, some)
    for _, id in ipairs(ids) do
      redis.call('ZREM', parked, id)
      local function send()
        enqueue(submit_lane(id), owner, id)
        take(id)
      end
      each({id}, account, send, send)
    end
    return #ids
  end)
  local limit = tonumber(redis.call('HGET', K.slot_limits, account))
  local free = limit and limit - redis.call('SCARD', slots) or math.huge
  if limit then
    for _, owner in ipairs(owners) do
      for _, name in ipairs(LANES) do free = free - redis.call('ZCARD', queued('submit.' .. name, owner)) end
    end
  end
  -- The most urgent ones of each owner: the urgency of one does not hold up another.
  in_turn(account, owners, math.min(most, free), function(owner, some)
    local taken = 0
    for _, name in ipairs(LANES) do
      local low, high = stamp(PRIORITY[name] * 1e10), '(' .. stamp((PRIORITY[name] + 1) * 1e10)
      local ids = take_waiting('submit.' .. name, owner, K.parked .. owner, low, high, some - taken)
      each(ids, account, take, take)
      taken = taken + #ids
    end
    return taken
  end)
  return items
end

-- Renders that need an API whose credentials some worker lacks. They wait in a band of scores for each API, so that
-- only workers with the credentials take them.
local APIS = {v3 = 1e11, v2 = 2e11}
local function band(api) return stamp(APIS[api]), '(' .. stamp(APIS[api] + 1e11) end
local function park_for(id, api)
  park(id, 'waits for a worker that has the ' .. api .. ' credentials of its account')
  local order = (tonumber(field(id, 't:accepted')) or NOW) + PRIORITY[priority_of(id)] * 1e10
  redis.call('ZADD', K.parked .. owner_of(id), stamp(APIS[api] + order), id)
end
local function waiting_for(owner, api, most)
  local low, high = band(api)
  return redis.call('ZRANGEBYSCORE', K.parked .. owner, low, high, 'LIMIT', 0, most)
end

-- Whether no worker has known a parked render's account or API for so long that the render has to fail.
local function abandoned(id, what, name, unknown_after)
  local read, since = pcall(field, id or '', 'unknown_since')
  since = read and tonumber(since)
  return since and NOW - since > unknown_after and not has_worker(what, name)
end

-- Whether others wait for the slots or the rate of an account. Then a new render does not go before them.
local function contended(owner, account)
  if redis.call('EXISTS', K.owners .. account) == 0 then return false end
  if redis.call('HEXISTS', K.slot_limits, account) == 0 and redis.call('EXISTS', K.rate_limit .. account) == 0 then
    return false
  end
  for _, other in ipairs(owners_of(account)) do
    if other ~= owner and redis.call('EXISTS', K.parked .. other) == 1 then return true end
  end
  return false
end

-- Send a new render at once if its owner has room; else it waits for its turn. -> whether to send it
local function admit_submission(id)
  local owner, account = owner_of(id)
  if room(submit_lane(id), owner) > 0 and not contended(owner, account) then
    submission_queued(id, owner, account)
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
local function ended_at(id) return tonumber(field(id, 't:' .. field(id, 'state'))) or NOW end

local function hook_waits(id, index, host)
  local owner = owner_of(id)
  redis.call('ZADD', hooks_waiting(owner, host), stamp(ended_at(id)), id .. ':' .. index)
  redis.call('ZADD', K.hook_hosts .. owner, 'NX', next_turn(), host)
  redis.call('ZADD', K.hook_accounts, 'NX', next_turn(), owner)
  set(id, 'h' .. index .. ':waits', host, 'h' .. index .. ':waits_at', stamp(NOW))
end
local function hook_comes(id, index)
  local host, owner = field(id, 'h' .. index .. ':waits'), owner_of(id)
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
  local sent, owner = {}, owner_of(id)
  if in_doubt() or not HOOKED[field(id, 'state')] then return sent end
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

-- The first `most` hooks that wait in `key` and are not of newer versions, among the first `seen` ones. Those of newer
-- versions go behind the others for a while, so that thousands of them hide nobody.
local function known_waiting(key, most, seen)
  local known = {}
  for _, member in ipairs(redis.call('ZRANGE', key, 0, seen - 1)) do
    if #known == most then break end
    if newer(string.match(member, '^(.*):%d+$')) then
      redis.call('ZADD', key, 'XX', stamp(NOW + GRACE), member)
    else
      known[#known + 1] = member
    end
  end
  return known
end

-- Take up to `most` of an owner's hooks that wait for a host.
local function next_of(owner, host, most)
  local sent, key = {}, hooks_waiting(owner, host)
  most = math.min(most, room('hook', owner))
  if most <= 0 then return sent end
  local members = known_waiting(key, most, most)
  -- Hooks of newer versions are before them.
  if #members < most then members = known_waiting(key, most, 1000) end
  for _, member in ipairs(members) do
    redis.call('ZREM', key, member)
    enqueue('hook', owner, member)
    local id, index = string.match(member, '^(.*):(%d+)$')
    redis.call('HDEL', render(id), 'h' .. index .. ':waits', 'h' .. index .. ':waits_at')
    -- The worker may die before it publishes the message.
    wake_hooks(id)
    table.insert(sent, {id, tonumber(index)})
  end
  if redis.call('EXISTS', key) == 0 then redis.call('ZREM', K.hook_hosts .. owner, host) end
  return sent
end

-- Take the next waiting hook of an owner: its hosts in turn (`only`: this host alone). While a host's circuit is open,
-- one hook now and then probes. -> {id, index}, nil if none may go
local function next_hook(owner, only)
  local hosts = only and {only} or redis.call('ZRANGE', K.hook_hosts .. owner, 0, 9)
  if #hosts == 0 then redis.call('ZREM', K.hook_accounts, owner) end
  for _, host in ipairs(hosts) do
    local name, probe, may, one = host_circuit(host), false, true, nil
    if redis.call('EXISTS', hooks_waiting(owner, host)) == 1 then
      if circuit_open(name) then
        may = (tonumber(redis.call('HGET', circuit(name), 'until')) or 0) <= NOW
        probe = may and probes(name, GRACE)
      end
      if may then one = next_of(owner, host, 1)[1] end
    else
      redis.call('ZREM', K.hook_hosts .. owner, host)
    end
    redis.call('ZADD', K.hook_hosts .. owner, 'XX', next_turn(), host)
    if one then
      if probe then set(one[1], 'h' .. one[2] .. ':probe', 1) end
      return one
    end
  end
end

-- Take up to `most` waiting hooks, one of each owner in turn. Tenants that are `busy` (separated by commas) have as many
-- hooks under way as the caller gives one tenant: theirs go on waiting.
local OWNERS = 50
local function take_hooks(most, busy, only)
  local sent, more = {}, true
  if in_doubt() then return sent end
  local owners = redis.call('ZRANGE', K.hook_accounts, 0, OWNERS - 1)
  while more do
    more = false
    for _, owner in ipairs(owners) do
      if #sent >= most then return sent end
      local held = busy ~= '' and listed(busy, string.match(owner, '/(.*)$') or 'default')
      local one = not held and room('hook', owner) > 0 and next_hook(owner, only)
      if one then
        table.insert(sent, one)
        more = true
      end
      -- With more owners than are seen here, the others come next.
      if one or #owners == OWNERS then redis.call('ZADD', K.hook_accounts, 'XX', next_turn(), owner) end
    end
  end
  return sent
end

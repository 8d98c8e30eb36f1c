-- Quotas of a tenant ('': the default one): its renders in flight, and those accepted in the last 24 hours.
-- What is in flight is counted from the lists of renders by state, so no count can be wrong for long.
local PERIOD = 600 -- seconds that are counted together
local PERIODS = 145 -- of which the oldest one has ended 24 hours ago
local ACTIVE = {'accepted', 'submitting', 'unconfirmed', 'rendering'}

-- A held render does not count: its tenant can do nothing about it.
local function in_flight(tenant)
  local count = tenant ~= '' and -redis.call('ZCARD', K.held .. '@' .. tenant) or -redis.call('ZCARD', K.held)
  for _, state in ipairs(ACTIVE) do
    if tenant ~= '' then
      count = count + redis.call('ZCARD', K.state .. state .. '@' .. tenant)
    else
      -- All but those of the other tenants: the default one has no list of its own.
      count = count + redis.call('ZCARD', K.state .. state)
      for _, other in ipairs(redis.call('SMEMBERS', K.tenants)) do
        count = count - redis.call('ZCARD', K.state .. state .. '@' .. other)
        if state == 'accepted' then count = count + redis.call('ZCARD', K.held .. '@' .. other) end
      end
    end
  end
  return count
end

-- Take out renders that have another state: a process of an older version, which knew no tenants, has changed it.
local function forget_ended(tenant)
  if tenant == '' then return end
  for _, state in ipairs(ACTIVE) do
    local list = K.state .. state .. '@' .. tenant
    for _, id in ipairs(redis.call('ZRANGE', list, 0, 49)) do
      local read, now = pcall(field, id, 'state')
      if read and now == HELD then now = 'accepted' end
      if not read or now ~= state and not newer(id) then redis.call('ZREM', list, id) end
    end
  end
end

local function day(tenant) return K.accepted_in_a_day .. (tenant == '' and 'default' or tenant) end

-- -> how many count, and {period, count} by age
local function accepted_lately(tenant)
  local flat, used, periods = redis.call('HGETALL', day(tenant)), 0, {}
  for at = 1, #flat, 2 do
    local period, count = tonumber(flat[at]), tonumber(flat[at + 1])
    if period + PERIODS <= math.floor(NOW / PERIOD) then
      redis.call('HDEL', day(tenant), flat[at])
    else
      used = used + count
      table.insert(periods, {period, count})
    end
  end
  table.sort(periods, function(one, other) return one[1] < other[1] end)
  return used, periods
end

-- Why `wanted` more renders of a tenant exceed its quota ('' as a limit: none).
-- -> 'in_flight|per_day limit used seconds(until they fit; -1: unknown) wanted', nil if they fit
local function over_quota(tenant, wanted, most_in_flight, most_per_day)
  local most = tonumber(most_in_flight)
  if most and in_flight(tenant) + wanted > most then
    forget_ended(tenant)
    local used = in_flight(tenant)
    if used + wanted > most then return string.format('in_flight %d %d -1 %d', most, used, wanted) end
  end
  most = tonumber(most_per_day)
  if most then
    local used, periods = accepted_lately(tenant)
    local left, wait = used, -1
    if used + wanted > most then
      for _, one in ipairs(periods) do
        left = left - one[2]
        wait = (one[1] + PERIODS) * PERIOD - NOW
        if left + wanted <= most then break end
      end
      return string.format('per_day %d %d %d %d', most, used, math.ceil(wait), wanted)
    end
  end
  return nil
end

local function count_accepted(tenant, most_per_day)
  if most_per_day == '' then return end
  redis.call('HINCRBY', day(tenant), math.floor(NOW / PERIOD), 1)
  redis.call('EXPIRE', day(tenant), PERIOD * (PERIODS + 1))
end

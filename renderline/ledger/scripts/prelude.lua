-- What every step shares. KEYS[1] is the key prefix, ARGV[1] the time in seconds ('' takes the server's clock,
-- so that workers whose clocks differ agree), ARGV[2] the grace in seconds before a silent render is re-sent.
local P = KEYS[1]
local NOW = tonumber(ARGV[1])
if not NOW then
  local t = redis.call('TIME')
  NOW = tonumber(t[1]) + math.floor(tonumber(t[2]) / 1000) / 1000
end
local GRACE = tonumber(ARGV[2])
local SLOTS = 8

local function stamp(seconds) return string.format('%.3f', seconds) end
local function render(id) return P .. 'render:' .. id end
local function field(id, name) return redis.call('HGET', render(id), name) or '' end
local function set(id, ...) redis.call('HSET', render(id), ...) end

-- The sweep re-sends what has not moved by then.
local function wake_at(id, seconds)
  redis.call('ZADD', P .. 'wake', stamp(seconds), id)
end
local function rest(id)
  redis.call('ZREM', P .. 'wake', id)
end

-- Those who watch renders read this stream; its entry ids let them resume.
local function announce(id, state)
  redis.call('XADD', P .. 'events', 'MAXLEN', '~', 10000, '*', 'id', id, 'state', state, 'at', stamp(NOW),
    'progress', field(id, 'progress'))
end

-- The slot of a render at the vendor, where the account has a limit: from the paid call to its end.
local function leave_slot(id)
  redis.call('SREM', P .. 'slots:' .. field(id, 'account'), id)
end

local function move(id, to)
  local from = field(id, 'state')
  if not LEGAL[from .. '>' .. to] then return false end
  announce(id, to)
  redis.call('HDEL', render(id), 'resends')
  set(id, 'state', to, 't:' .. to, stamp(NOW))
  redis.call('ZREM', P .. 'state:' .. from, id)
  redis.call('ZADD', P .. 'state:' .. to, stamp(NOW), id)
  return true
end

local function unfollow(id)
  redis.call('ZREM', P .. 'due:' .. field(id, 'account'), id)
  redis.call('ZREM', P .. 'deadline', id)
  leave_slot(id)
end

-- A render that came to an end (or to `completed`) stops being followed and owes its hooks.
local function finish(id, to)
  if not move(id, to) then return false end
  unfollow(id)
  redis.call('HDEL', render(id), 'lease_until', 'intent', 'note', 'hinted')
  redis.call('ZREM', P .. 'parked:' .. field(id, 'account'), id)
  if tonumber(field(id, 'hooks')) > 0 then
    wake_at(id, NOW + GRACE)
  else
    rest(id)
    if to == 'completed' then move(id, 'delivered') end
  end
  return true
end

local function set_error(id, code, message, origin)
  set(id, 'error_code', code, 'error_message', message, 'error_origin', origin)
end

-- Poll pumps: each account has up to SLOTS `poll` messages in flight. A slot either sleeps until `at` or is busy until
-- `busy`; its ticket makes any other copy of its message a no-op.
local function pump(account) return P .. 'pump:' .. account end

-- Make sure that a pump runs at `at`; returns {slot, ticket, delay} of the message to publish, or false.
local function kick(account, at)
  local key = pump(account)
  local idle = nil
  for slot = 0, SLOTS - 1 do
    local sleeps = tonumber(redis.call('HGET', key, slot .. ':at'))
    local busy = tonumber(redis.call('HGET', key, slot .. ':busy'))
    if sleeps and NOW < sleeps + GRACE then
      if sleeps <= at + 0.05 then return false end
      idle = idle or slot
    elseif not (busy and NOW < busy) then
      idle = idle or slot
    end
  end
  if not idle then return false end
  local ticket = redis.call('HINCRBY', key, idle .. ':ticket', 1)
  redis.call('HSET', key, idle .. ':at', stamp(at))
  redis.call('HDEL', key, idle .. ':busy')
  redis.call('SADD', P .. 'accounts', account)
  return {idle, ticket, stamp(math.max(0, at - NOW))}
end

local function follow(id, at)
  local account = field(id, 'account')
  redis.call('ZADD', P .. 'due:' .. account, stamp(at), id)
  return kick(account, at)
end

-- True while `fence` is the newest claim on this render's submission.
local function mine(id, fence)
  return field(id, 'state') == 'submitting' and field(id, 'fence') == fence
end

-- What every step shares. ARGV[1] is the time in seconds ('' takes the server's clock, so that workers whose clocks
-- differ agree), ARGV[2] the grace in seconds until the message of a stalled render is sent again. `K.due` and the like
-- are key names: `script.py` replaces them with the texts in `keys.py`.
local NOW = tonumber(ARGV[1])
if not NOW then
  local t = redis.call('TIME')
  NOW = tonumber(t[1]) + math.floor(tonumber(t[2]) / 1000) / 1000
end
local GRACE = tonumber(ARGV[2])
local SLOTS = 8

local function stamp(seconds) return string.format('%.3f', seconds) end
local function render(id) return K.render .. id end
local function field(id, name) return redis.call('HGET', render(id), name) or '' end
local function set(id, ...) redis.call('HSET', render(id), ...) end

-- The ledger is in doubt when it has gone back in time: what it says was true at its snapshot, and the vendor may have
-- done more since. Until somebody has settled the differences nothing is submitted, polled, delivered, revoked or
-- cleaned up: no step gives out work.
local DOUBT = 'the ledger was restored: renderline reconcile settles what the vendor has done since'
local function in_doubt() return redis.call('EXISTS', K.doubt) == 1 end
local function begin_doubt(why, since)
  if in_doubt() then return end
  redis.call('HSET', K.doubt, 'why', why, 'since', since and string.format('%.3f', since) or '',
    'at', string.format('%.3f', NOW))
end
-- After a gap without any worker an account submits nothing until its project list was looked through.
local UNCHECKED = 'its account is looked through for renders that the ledger does not know'
local function unchecked(account) return redis.call('SISMEMBER', K.unchecked, account) == 1 end
-- Until when the ledger was alive, and how often its clock was set back before that: '<seconds> <times>'.
local function life(text)
  local at, set_back = string.match(text or '', '^([%d.]+) ?(%d*)$')
  return tonumber(at), tonumber(set_back) or 0
end
-- `seen`: until when the caller knows that the ledger was alive. A crash or a failover loses seconds; their paid calls
-- waited for the disk. A clock that was set back, or that of a replica that took over, is no older ledger.
local BACK = 30
local function gone_back(seen)
  local known, known_set_back = life(seen)
  if not known then return false end
  local lived, set_back = life(redis.call('GET', K.lived))
  if not lived or set_back > known_set_back or (set_back == known_set_back and lived >= known - BACK) then return false end
  begin_doubt('it went back in time while workers ran', lived)
  return true
end

-- Who takes turns: the account, or for another tenant than the default one `<account>/<tenant>`. -> owner, account
local function owner_of(id)
  local f = redis.call('HMGET', render(id), 'account', 'tenant')
  local account = f[1] or ''
  return f[2] and f[2] ~= '' and account .. '/' .. f[2] or account, account
end
-- Those of an account that have submissions, by turn. As long as there is only the default tenant, no key holds them.
local function owners_of(account)
  local owners = redis.call('ZRANGE', K.owners .. account, 0, 199)
  if #owners == 0 then owners[1] = account end
  return owners
end

-- The sweep sends its message again if it has not changed by then.
local function resend_at(id, seconds)
  redis.call('ZADD', K.resend, stamp(seconds), id)
end
local function drop_resend(id)
  redis.call('ZREM', K.resend, id)
end

-- The stream of state changes; its entry ids let readers resume.
local function publish_event(id, state)
  local h = redis.call('HMGET', render(id), 'progress', 'tenant', 'shown_from', 'shown_to')
  local progress = h[1] or ''
  -- A stage of several shows its part of the whole progress.
  if h[4] then progress = string.format('%.14g', h[3] + (tonumber(progress) or 0) * (h[4] - h[3]) / 100) end
  local event = {'id', id, 'state', state, 'at', stamp(NOW), 'progress', progress}
  if h[2] then
    event[9], event[10] = 'tenant', h[2]
  end
  redis.call('XADD', K.events, 'MAXLEN', '~', 10000, '*', unpack(event))
end

-- The lists of renders. A tenant other than the default one has lists of its own beside the shared ones, so that its
-- pages show nothing of the volume of others.
local function enlist(list, id, member)
  redis.call('ZADD', list, stamp(NOW), member)
  local tenant = field(id, 'tenant')
  if tenant ~= '' then redis.call('ZADD', list .. '@' .. tenant, stamp(NOW), member) end
end
local function delist(list, id, member)
  redis.call('ZREM', list, member)
  local read, tenant = pcall(field, id, 'tenant')
  if read and tenant ~= '' then redis.call('ZREM', list .. '@' .. tenant, member) end
end

-- A render holds its slot at the vendor, if the account has a limit, from the paid call to its end.
local function leave_slot(id)
  redis.call('SREM', K.slots .. field(id, 'account'), id)
end

-- Take an unreadable record out of every schedule, and quarantine it. The quarantine entry comes first: if the server
-- refuses writes, the step fails there, and the record is not blamed.
local function quarantine(id, reason, account)
  redis.call('XADD', K.quarantine, 'MAXLEN', 1000, '*', 'what', 'record', 'id', id, 'where', account or '',
    'reason', string.sub(reason, 1, 300), 'size', 0)
  redis.call('HINCRBY', K.quarantine_counts, 'record', 1)
  drop_resend(id)
  redis.call('ZREM', K.deadline, id)
  if account then
    redis.call('ZREM', K.due .. account, id)
    for _, owner in ipairs(owners_of(account)) do redis.call('ZREM', K.parked .. owner, id) end
    redis.call('SREM', K.slots .. account, id)
  end
  pcall(set, id, 'note', 'quarantined: its record cannot be read')
end

-- Run `act` for each render; a broken record is quarantined, and the others go on. One of a newer version is left alone:
-- `leave`, if given, puts it off in the list from which it comes.
local function each(ids, account, act, leave)
  for _, id in ipairs(ids) do
    local fine, fault = pcall(function()
      if not newer(id) then return act(id) end
      if leave then leave(id) end
    end)
    if not fine then
      local known, own = pcall(field, id, 'account')
      local why = tostring(type(fault) == 'table' and fault.err or fault)
      quarantine(id, why, account or (known and own ~= '' and own or nil))
    end
  end
end

-- A held render waits for an operator. Its hash says `held`; records and lists say `accepted`. There is no transition
-- from `held`, also not in the steps of older versions: no message and no sweep of any worker can submit it.
local HELD = 'held'
local function end_hold(id)
  redis.call('HDEL', render(id), 'held_at', 'held_by', 'held_reason')
  set(id, 'state', 'accepted')
  delist(K.held, id, id)
end

-- Totals: how many renders there are by state, kind and account, in a hash for each tenant. A record knows as what it is
-- counted, so one that an older version moved is counted right from its next transition on. While `renderline reindex`
-- counts all anew, as another generation, the totals of the one before are shown and kept up.
local function totals_of(generation, tenant)
  return K.statistics .. ':' .. generation .. (tenant ~= '' and '@' .. tenant or '')
end
local function add_to_total(key, name, by)
  if redis.call('HINCRBY', key, name, by) == 0 then redis.call('HDEL', key, name) end
end
-- Count it in the present generation of totals, whatever it was counted as before. -> the end of its field, and the
-- hash that is shown meanwhile, if it is another one
local function recount_render(id, to)
  local h = redis.call('HMGET', render(id), 'kind', 'account', 'tenant', 'counted')
  local about, tenant = '|' .. (h[1] or '') .. '|' .. (h[2] or ''), h[3] or ''
  local g = redis.call('HMGET', K.statistics, 'counted', 'shown')
  local generation, shown = g[1] or '0', g[2] or '0'
  local key = totals_of(generation, tenant)
  local before = string.match(h[4] or '', '^' .. generation .. ':(.*)$')
  if before ~= to then
    if before then add_to_total(key, before .. about, -1) end
    if to ~= '' then
      add_to_total(key, to .. about, 1)
      set(id, 'counted', generation .. ':' .. to)
    end
  end
  return about, shown ~= generation and totals_of(shown, tenant) or nil
end
-- A render of the state `from` ('': it is new) is now in `to` ('': it is forgotten).
local function count_render(id, from, to)
  local about, shown = recount_render(id, to)
  if not shown then return end
  if from ~= '' then add_to_total(shown, from .. about, -1) end
  if to ~= '' then add_to_total(shown, to .. about, 1) end
end

-- What happened in each minute, for charts. Other tenants than the default one have hashes of their own beside the one
-- of all, in which their part is kept apart.
local MINUTES_KEPT = 7200
local function count_in_minute(tenant, name, by)
  local key = K.minute .. math.floor(NOW / 60)
  local function add(hash, field_)
    if tonumber(redis.call('HINCRBYFLOAT', hash, field_, by)) == by then redis.call('EXPIRE', hash, MINUTES_KEPT) end
  end
  if tenant == '' then return add(key, name) end
  add(key, 'others:' .. name)
  add(key .. '@' .. tenant, name)
end
local CHARTED = {accepted = 'accepted', completed = 'completed', delivered = 'delivered', failed = 'failed',
  expired = 'failed'}
local function chart(id, from, to)
  -- A replayed hook completes nothing.
  if not CHARTED[to] or from == 'undelivered' then return end
  local h = redis.call('HMGET', render(id), 'tenant', 'credit', 'webhook_done')
  local tenant = h[1] or ''
  count_in_minute(tenant, CHARTED[to], 1)
  if to ~= 'completed' then return end
  local credit, reported = tonumber(h[2]), tonumber(h[3])
  if credit and credit > 0 then count_in_minute(tenant, 'credits', credit) end
  -- Older versions noted that there was a webhook, not when.
  if reported and reported > 1 then
    count_in_minute(tenant, 'lag', math.max(0, NOW - reported))
    count_in_minute(tenant, 'lags', 1)
  end
end

-- The texts under which searches find a render: `texts` is {list('': names, otherwise a label), text, list, text ...}.
local function text_list(list, tenant)
  return (list == '' and K.names or K.labels .. list) .. (tenant ~= '' and '@' .. tenant or '')
end
-- An id in 22 characters instead of 32: base64, as for URLs.
local BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_' -- pragma: allowlist secret
local function short_id(id)
  if #id ~= 32 or string.find(id, '[^0-9a-f]') then return id end
  return (string.gsub(id .. '0', '...', function(digits)
    local bits = tonumber(digits, 16)
    local high, low = math.floor(bits / 64) + 1, bits % 64 + 1
    return string.sub(BASE64, high, high) .. string.sub(BASE64, low, low)
  end))
end
local function index_texts(id, tenant, texts)
  local short = '\t' .. short_id(id)
  for n = 1, #texts, 2 do redis.call('ZADD', text_list(texts[n], tenant), 0, texts[n + 1] .. short) end
end
-- Since when each list has the texts of all new renders: the search asks an index that has all there are.
local function note_indexed(labels)
  local lists = {'', unpack(labels)}
  for n, since in ipairs(redis.call('HMGET', K.indexed, unpack(lists))) do
    if not since then redis.call('HSET', K.indexed, lists[n], stamp(NOW)) end
  end
end
-- The texts are at the end of `meta`, whose rest may hold what is no Unicode. 1 stands for the name in small letters.
local function unindex_texts(id)
  local meta = redis.call('GET', K.meta .. id) or ''
  local indexed, tenant = string.match(meta, '.*"indexed":(%[.*%])}$'), field(id, 'tenant')
  local texts, short = indexed and cjson.decode(indexed) or {}, '\t' .. short_id(id)
  for n = 1, #texts, 2 do
    local text = texts[n + 1]
    if text == 1 then text = string.lower(string.match(meta, '^{"name":"([^"\\]*)"')) end
    redis.call('ZREM', text_list(texts[n], tenant), text .. short)
  end
end

-- The timeline of a render: its newest entries, each a line of fields with tabs between: type (c call, h hook, o
-- operation, t transition, w webhook), time, attempt, name, status, seconds, result, by. Blank ones at the end are cut.
local function note_line(id, line)
  local key = K.timeline .. id
  local length = redis.pcall('RPUSH', key, line)
  -- A key that holds something else costs the entry, not the step.
  if type(length) == 'number' and length > LONGEST_TIMELINE then redis.call('LTRIM', key, -LONGEST_TIMELINE, -1) end
end

-- The transitions of this step, for the observers of its caller.
local MOVED = {}
local function transition(id, to)
  local f = redis.call('HMGET', render(id), 'state', 'attempt', 'kind', 'account', 'tenant', 'request_id', 'labels')
  local from = f[1] or ''
  if from == HELD and to == 'canceled' then
    end_hold(id)
    from = 'accepted'
  end
  if not LEGAL[from .. '>' .. to] then return false end
  local since = tonumber(field(id, 't:' .. from))
  -- A retry begins the next attempt.
  local attempt = to == 'accepted' and (tonumber(f[2]) or 1) + 1 or f[2] or 1
  MOVED[#MOVED + 1] = {id, from, to, tostring(attempt), f[3] or '', f[4] or '', f[5] or '', f[6] or '', since and stamp(NOW - since) or '', f[7] or ''}
  note_line(id, 't\t' .. stamp(NOW) .. '\t' .. attempt .. '\t' .. to)
  publish_event(id, to)
  redis.call('HDEL', render(id), 'resends')
  set(id, 'state', to, 't:' .. to, stamp(NOW))
  delist(K.state .. from, id, id)
  enlist(K.state .. to, id, id)
  count_render(id, from, to)
  chart(id, from, to)
  return true
end

-- Invalidate a running poll: its result does not apply to another paid call or another project.
local function drop_poll(id)
  redis.call('HINCRBY', render(id), 'epoch', 1)
  redis.call('HDEL', render(id), 'polling_until', 'poll_again')
end

local function stop_polling(id)
  drop_poll(id)
  redis.call('ZREM', K.due .. field(id, 'account'), id)
  redis.call('ZREM', K.deadline, id)
  leave_slot(id)
end

-- Mark a render for the orphan sweep, twice: the vendor may have a draft that the record does not know.
local function mark_orphan_of(account, id, attempt)
  local member = id .. '.' .. attempt
  redis.call('ZADD', K.orphan_drafts .. account, stamp(NOW + GRACE * 2), member .. '#1',
    stamp(NOW + GRACE * 8), member .. '#2')
end
local function mark_orphan(id) mark_orphan_of(field(id, 'account'), id, field(id, 'attempt')) end

-- A project that a render of another tenant than the default one made is that tenant's, longer than its record is kept.
local function note_project(id, project)
  local tenant = field(id, 'tenant')
  if tenant ~= '' then redis.call('HSETNX', K.project_tenants .. field(id, 'account'), project, tenant) end
end

-- Claim a project that our call made for this attempt of this render; false if it belongs to another one.
local function claim_project(id, project)
  local key, me = K.project_owners .. field(id, 'account'), id .. '.' .. field(id, 'attempt')
  if redis.call('HSETNX', key, project, me) == 0 then
    local owner = redis.call('HGET', key, project)
    if owner ~= me and redis.call('EXISTS', render(string.match(owner, '^(.*)%.'))) == 1 then return false end
    redis.call('HSET', key, project, me)
  end
  note_project(id, project)
  return true
end

-- Forget a revoked draft: it is never exported again, nor confused with its successor.
local function drop_draft(id)
  if field(id, 'revoking') == '' then return end
  redis.call('HDEL', render(id), 'project_id', 'revoking')
  set(id, 'stage', '', 'draft', (tonumber(field(id, 'draft')) or 1) + 1)
  -- In case it was not deleted.
  mark_orphan(id)
end

-- End a render (or complete it): stop polling, and make its hooks due.
local function finish(id, to)
  local from = field(id, 'state')
  if not transition(id, to) then return false end
  -- Its call may still take effect. Once the draft is deleted, it cannot be rendered.
  if to ~= 'completed' and (from == 'submitting' or from == 'unconfirmed') then mark_orphan(id) end
  stop_polling(id)
  redis.call('HDEL', render(id), 'lease_until', 'intent', 'note', 'webhook_hint')
  local owner = owner_of(id)
  redis.call('ZREM', K.parked .. owner, id)
  redis.call('ZREM', K.queued .. 'submit.' .. field(id, 'priority') .. ':' .. owner, id)
  if (tonumber(field(id, 'hooks')) or 0) > 0 then
    resend_at(id, NOW + GRACE)
  else
    drop_resend(id)
    if to == 'completed' then transition(id, 'delivered') end
  end
  return true
end

local function set_error(id, code, message, origin)
  set(id, 'error_code', code, 'error_message', message, 'error_origin', origin)
end

-- Poll pumps: each account has up to SLOTS `poll` messages in flight. A slot either sleeps until `at` or is busy until
-- `busy`; its ticket makes any other copy of its message a no-op.
local function pump(account) return K.pump .. account end

-- Make sure that a pump runs at `at`; returns {slot, ticket, delay} of the message to publish, or false.
local function wake_pump(account, at)
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
  redis.call('SADD', K.accounts, account)
  return {idle, ticket, stamp(math.max(0, at - NOW))}
end

local function start_polling(id, at)
  local account = field(id, 'account')
  redis.call('ZADD', K.due .. account, stamp(at), id)
  return wake_pump(account, at)
end

-- The circuit breaker of an account: `failures` in a row; once open, `until` when the next call may probe, and
-- `probing` while one does. It expires without new calls, so that it cannot stay open for ever.
local CIRCUIT_FORGETS = 120
local function circuit(account) return K.circuit .. account end
local function remember_circuit(account, until_)
  redis.call('PEXPIRE', circuit(account), math.ceil((math.max(0, until_ - NOW) + CIRCUIT_FORGETS) * 1000))
end
local function circuit_open(account) return redis.call('HEXISTS', circuit(account), 'until') == 1 end

-- Seconds for which calls of this account have to wait: for the backoff, or for the open circuit.
local function retry_after_left(account)
  return math.max(0, (tonumber(redis.call('GET', K.backoff .. account)) or 0) - NOW)
end
local function backoff_left(account)
  return math.max(retry_after_left(account), (tonumber(redis.call('HGET', circuit(account), 'until')) or 0) - NOW)
end
-- The longest backoff, whatever a header says.
local LONGEST_BACKOFF = 3600
local function back_off(account, seconds)
  seconds = math.min(seconds, LONGEST_BACKOFF)
  local until_ = math.max(NOW + seconds, tonumber(redis.call('GET', K.backoff .. account)) or 0)
  redis.call('SET', K.backoff .. account, stamp(until_), 'PX', math.max(1, math.ceil((until_ - NOW) * 1000)))
end

-- While the circuit is open, the first claim after the pause is the probe. The others wait for its answer, at most
-- `seconds`.
local function probes(account, seconds)
  if not circuit_open(account) then return false end
  redis.call('HSET', circuit(account), 'until', stamp(NOW + seconds), 'probing', '1')
  remember_circuit(account, NOW + seconds)
  return true
end

-- Why the vendor refuses to render for an account, and the seconds until the next attempt; nil if it does not.
local function refused(account)
  local h = redis.call('HMGET', K.hold .. account, 'until', 'reason')
  if not h[1] then return nil end
  return h[2], math.max(0, tonumber(h[1]) - NOW)
end

-- The rate limit of an account after a 429: calls a second. Each 429 lowers it; it grows by a fixed step a second until
-- it no longer matters. Without a 429 there is no limit.
local function rate_limit(account)
  local key = K.rate_limit .. account
  local p = redis.call('HMGET', key, 'rate', 'tokens', 'at', 'slowed_at', 'step')
  local rate = tonumber(p[1])
  if not rate then return nil end
  local passed = math.max(0, NOW - tonumber(p[3]))
  rate = rate + tonumber(p[5]) * passed
  if rate > 1000 then
    redis.call('DEL', key)
    return nil
  end
  local tokens = math.min(math.max(1, rate), tonumber(p[2]) + rate * passed)
  redis.call('HSET', key, 'rate', rate, 'tokens', tokens, 'at', stamp(NOW))
  return rate, tokens
end
-- How many of `wanted` calls (`whole`: all or none) may be made now; they count as made. Without a rate limit: all.
local function admit(account, wanted, whole)
  local rate, tokens = rate_limit(account)
  local given = wanted
  if rate then
    given = math.min(wanted, math.max(0, math.floor(tokens)))
    if whole and given < wanted then given = 0 end
    redis.call('HINCRBYFLOAT', K.rate_limit .. account, 'tokens', -given)
  end
  if given > 0 then redis.call('HINCRBY', K.calls .. account, math.floor(NOW), given) end
  return given
end

-- Park a submission until its account may go on; ordered by priority, then age.
local PRIORITY = {high = 0, normal = 1, low = 2}
local function priority_of(id)
  local priority = field(id, 'priority')
  return PRIORITY[priority] and priority or 'normal'
end
-- A counter, since one millisecond may have many.
local function next_turn() return redis.call('INCR', K.hook_turn) end
-- Another tenant has submissions here: from now on the owners of this account take turns.
local function takes_turns(owner, account)
  if owner ~= account then
    redis.call('ZADD', K.owners .. account, 'NX', next_turn(), owner)
    redis.call('ZADD', K.owners .. account, 'NX', next_turn(), account)
  end
end
local function park(id, note)
  local owner, account = owner_of(id)
  local order = (tonumber(field(id, 't:accepted')) or NOW) + PRIORITY[priority_of(id)] * 1e10
  -- A render that kept its slot (its worker died) goes first: it needs no other, and frees it soonest.
  if redis.call('SISMEMBER', K.slots .. account, id) == 1 then order = order - 1e11 end
  redis.call('ZADD', K.parked .. owner, stamp(order), id)
  redis.call('SADD', K.accounts, account)
  takes_turns(owner, account)
  set(id, 'note', note)
  resend_at(id, NOW + GRACE * 10)
end

-- '1' while the vendor's webhooks for this account arrive: one came lately, and none has been missing since.
local function webhooks_alive(account)
  return (tonumber(redis.call('GET', K.webhooks_alive .. account)) or 0) > NOW and '1' or ''
end

-- Announce a vendor call of this stage.
local function intend(id, stage)
  -- A webhook from before this call is not about it.
  redis.call('HDEL', render(id), 'webhook_hint')
  set(id, 'intent', stage, 'intent_at', stamp(NOW), 'intent_fence', field(id, 'fence'))
end

-- A worker holds the claim of a submission for `lease` seconds; then the sweep sends it again.
local function hold(id, lease)
  set(id, 'lease_until', stamp(NOW + lease))
  resend_at(id, NOW + lease + 1)
end

-- Whether a live worker has announced a capability: `account:<name>`, `api:<api>:<name>`, `hook:<type>`.
local ALIVE_FOR = 60
local function has_worker(what, name)
  return (tonumber(redis.call('ZSCORE', K.capabilities, what .. ':' .. name)) or 0) > NOW - ALIVE_FOR
end
-- Put off a record of a newer version in a list of work, for a worker that knows it: not for long if there is one.
local SOON_KNOWN = 2
local function put_off(list, id)
  redis.call('ZADD', list, 'XX', stamp(NOW + (has_worker('schema', newer(id)) and SOON_KNOWN or GRACE)), id)
end
-- Whether a name is in a comma-separated list; an empty list contains every name.
local function listed(names, name)
  return names == '' or (',' .. names .. ','):find(',' .. name .. ',', 1, true) ~= nil
end

-- Whether `fence` is that of the newest claim on this render's submission.
local function mine(id, fence)
  return field(id, 'state') == 'submitting' and field(id, 'fence') == fence
end

-- Whether `fence` made the paid call whose outcome is unknown, and nothing was called or decided since: then its answer
-- says more than any poll, although another worker took over.
local function answers_late(id, fence)
  return field(id, 'state') == 'unconfirmed' and field(id, 'intent') ~= '' and field(id, 'intent_fence') == fence
    and field(id, 'revoking') == ''
end

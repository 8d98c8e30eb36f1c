-- Claim a submission.
-- ARGV: id lease calls first(JSON object: by kind, the free stage that begins a new submission) hanging(accounts,
-- separated by commas, for which the caller can begin no more) onward(1: the caller sends what follows) known(accounts
-- and APIs that the caller knows, such as main,v3:main; '': all) unknown_after apis(JSON object: by kind, the API that
-- it needs) paid(names of the paid stages, separated by commas) seen(until when the caller knows that the ledger was
-- alive, '': nothing) findable(JSON object: by kind, the stage whose project is found by its name)
-- -> {'yours', following, fence, fields, meta, body, announced stage or ''}, {parked|busy|over, following, why it is parked}, or
-- {newer, following, its version}: it is left to workers of that version, or
-- {unknown, {}, the API whose credentials no worker has, '' if no worker knows the account}. `following` are {id,
-- priority} of the account's next submissions, to be sent now that this one has left the queue.
local id, lease, calls = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local state, owner, account = field(id, 'state'), owner_of(id)
local function following() return ARGV[8] == '1' and unpark(account, 1) or {} end
if state == '' then return {'over', {}} end
submission_dequeued(id)
if newer(id) then
  put_off(K.resend, id)
  return {'newer', following(), newer(id)}
end
if state == 'submitting' then
  if (tonumber(field(id, 'lease_until')) or 0) > NOW then return {'busy', following()} end
elseif state ~= 'accepted' then
  return {'over', following()}
end
local uncertain = (gone_back(ARGV[13]) or in_doubt()) and DOUBT or unchecked(account) and UNCHECKED
if uncertain then
  park(id, uncertain)
  return {'parked', {}, uncertain}
end
local slots = K.slots .. account
local limit = tonumber(redis.call('HGET', K.slot_limits, account))
local reason = nil
local refusal, refused_for = refused(account)
-- The caller does not know the account; other workers may. An announced paid call is resolved without it. An announced
-- free call is looked up by workers that know the account.
local resolves = field(id, 'intent') ~= '' and (',' .. ARGV[12] .. ','):find(',' .. field(id, 'intent') .. ',', 1, true)
local api = cjson.decode(ARGV[11])[field(id, 'kind')]
local lacking, what, name = nil, 'account', account
if not resolves and not listed(ARGV[9], account) then
  lacking = ''
elseif not resolves and api and not listed(ARGV[9], api .. ':' .. account) then
  lacking, what, name = api, 'api', api .. ':' .. account
end
if lacking then
  redis.call('HSETNX', render(id), 'unknown_since', stamp(NOW))
  if abandoned(id, what, name, tonumber(ARGV[10])) then return {'unknown', {}, lacking} end
  if lacking ~= '' then
    park_for(id, lacking)
    -- The account's other renders may go on here.
    return {'parked', following(), 'waits for a worker that has the ' .. lacking .. ' credentials of its account'}
  end
  reason = 'waits for a worker that knows its account'
else
  redis.call('HDEL', render(id), 'unknown_since')
end
if reason then
  -- No further check is needed.
elseif redis.call('SISMEMBER', K.paused, account) == 1 then
  reason = 'its account is paused'
elseif (',' .. ARGV[7] .. ','):find(',' .. account .. ',', 1, true) then
  reason = 'its account hangs, with as many submissions under way as one worker makes'
elseif backoff_left(account) > 0 then
  reason = 'the circuit of its account is open, or the vendor asked it to wait'
elseif refusal and refused_for > 0 then
  reason = 'the vendor refuses its account: ' .. refusal
elseif limit and redis.call('SISMEMBER', slots, id) == 0 and redis.call('SCARD', slots) >= limit then
  reason = 'all ' .. limit .. ' renders that its account may have at the vendor at once are taken'
elseif not probes(account, lease) and admit(account, calls, true) == 0 then
  reason = 'the rate limit of its account is used up'
end
if reason then
  park(id, reason)
  return {'parked', {}, reason}
end
-- The vendor has a project of this attempt that was made after the snapshot from which the ledger was restored. It is
-- found by its name, as one whose answer was lost.
local unknown, this = K.unknown_projects .. account, id .. '.' .. field(id, 'attempt')
local draft = redis.call('HGET', unknown, this)
if draft and field(id, 'intent') == '' and field(id, 'project_id') == '' then
  local first = cjson.decode(ARGV[14] or '{}')[field(id, 'kind')]
  local number, since = string.match(draft, '^(%d+) ?([%d.]*)$')
  -- Its call came after the snapshot: what is older is of an earlier render with this key.
  if first then set(id, 'intent', first, 'intent_at', since ~= '' and since or stamp(NOW), 'draft', number) end
  redis.call('HDEL', unknown, this)
end
-- This submission tests whether the vendor renders again.
if refusal then redis.call('HSET', K.hold .. account, 'until', stamp(NOW + lease)) end
if state == 'accepted' then transition(id, 'submitting') end
redis.call('ZREM', K.parked .. owner, id)
redis.call('SADD', slots, id)
-- The last holder of the claim died, or did not see the answer to its call.
if field(id, 'intent') ~= '' then mark_orphan(id) end
local fence = redis.call('HINCRBY', render(id), 'fence', 1)
redis.call('HINCRBY', render(id), 'attempts', 1)
redis.call('HDEL', render(id), 'resends')
hold(id, lease)
local fields = redis.call('HGETALL', render(id))
-- The deadline that its earlier stages began has passed.
if NOW >= (tonumber(field(id, 'deadline_at')) or math.huge) then
  table.insert(fields, 'late')
  table.insert(fields, '1')
end
local announced = field(id, 'stage') == '' and field(id, 'intent') == '' and cjson.decode(ARGV[6])[field(id, 'kind')] or ''
if announced ~= '' then intend(id, announced) end
return {'yours', following(), tostring(fence), fields, redis.call('GET', K.meta .. id), redis.call('GET', K.body .. id),
  announced}

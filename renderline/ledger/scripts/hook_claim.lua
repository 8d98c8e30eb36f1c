-- Claim one hook of a finished render. ARGV: id index lease
-- -> {status, fence, seconds, following, probe, fields, meta, history}. `status`: yours, done (it is finished already),
-- early (it waits for an earlier hook), busy, over, newer (left to workers of its version). `seconds`: since it became due, or (busy) until its claim ends.
-- `following`: {id, index} of hooks to send now. `probe`: it probes a host with an open circuit. `probe` and later
-- items come with `yours` only.
local id, index, lease = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local state, owner = field(id, 'state'), owner_of(id)
if state == '' then return {'over', '0', '0', {}} end
if newer(id) then
  dequeue('hook', owner, id .. ':' .. index)
  put_off(K.resend, id)
  return {'newer', '0', '0', next_of(owner, ANYWHERE, 1)}
end
hook_comes(id, index)
if in_doubt() then
  wake_hooks(id)
  return {'early', '0', '0', {}}
end
local function not_yours(status, seconds) return {status, '0', stamp(seconds or 0), next_of(owner, ANYWHERE, 1)} end
if not HOOKED[state] or index >= (tonumber(field(id, 'hooks')) or 0) then return not_yours('over') end
local h = 'h' .. index
if SETTLED[field(id, h)] then return not_yours('done') end
if hook_is_early(id, index) then return not_yours('early') end
local until_ = tonumber(field(id, h .. ':until')) or 0
if until_ > NOW then return not_yours('busy', until_ - NOW) end
local fence = redis.call('HINCRBY', render(id), h .. ':fence', 1)
local probe = redis.call('HDEL', render(id), h .. ':probe')
redis.call('HDEL', render(id), 'resends')
leaves_retrying(id, index)
set(id, h .. ':until', stamp(NOW + lease))
redis.call('HINCRBY', render(id), h .. ':attempts', 1)
wake_hooks(id)
local owed = tonumber(field(id, h .. ':since')) or ended_at(id)
return {'yours', tostring(fence), stamp(math.max(0, NOW - owed)), {}, probe, redis.call('HGETALL', render(id)),
  redis.call('GET', K.meta .. id), redis.call('GET', K.history .. id)}

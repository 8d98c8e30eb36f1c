-- Forget an ended render: its record keeps what totals, quotas and its idempotency key need, and nothing of its content.
-- What lies outside the ledger is listed, for workers to delete. In one step, so that no crash leaves half of it.
-- ARGV: id attempt(of which `history` tells) history(JSON without texts, '': none) projects('1': those at the vendor too)
-- uploads(JSON array of SHA-256) -> {status, state or seconds}. `status`: done, again (it was forgotten before), hook
-- (one is under way, for so many seconds at most), state (it has not ended, or is in another attempt), '' (none)
local id, k = ARGV[3], render(ARGV[3])
local state, account = field(id, 'state'), field(id, 'account')
if state == '' then return {'', ''} end
local known = (redis.call('GET', K.history .. id) or '') .. '"project_id":"' .. field(id, 'project_id') .. '"'
local function forget_projects()
  for project in string.gmatch(known, '"project_id":"([^"]+)"') do
    redis.call('ZADD', K.forgotten_projects .. account, stamp(NOW), id .. ' ' .. project)
  end
end
if field(id, 'forgotten') ~= '' then
  if ARGV[6] == '1' then forget_projects() end
  return {'again', ''}
end
if not FINAL[state] or field(id, 'attempt') ~= ARGV[4] then return {'state', state} end
local hooks = tonumber(field(id, 'hooks')) or 0
for i = 0, hooks - 1 do
  -- A hook that waits for its next attempt longer than a lease is not under way: it is never called again.
  local left = (tonumber(field(id, 'h' .. i .. ':until')) or 0) - NOW
  if not SETTLED[field(id, 'h' .. i)] and left > 0 and left <= GRACE then return {'hook', stamp(left)} end
end
for i = 0, hooks - 1 do
  hook_comes(id, i)
  leaves_retrying(id, i)
  delist(K.dead_letters, id, id .. ':' .. i)
end
drop_resend(id)
pcall(unindex_texts, id)
-- The cleanup of stored projects needs the record to know that the video is stored.
if redis.call('ZREM', K.stored_projects .. account, id) == 1 or ARGV[6] == '1' then forget_projects() end
local left = {'list'}
local function leave(file) if type(file) == 'string' and file ~= '' then left[#left + 1] = 'file ' .. file end end
leave(field(id, 'stored_url'))
local read, outputs = pcall(cjson.decode, field(id, 'stored_outputs'))
for _, file in pairs(read and type(outputs) == 'table' and outputs or {}) do leave(file) end
for _, sha256 in ipairs(cjson.decode(ARGV[7])) do left[#left + 1] = 'upload ' .. sha256 end
redis.call('SADD', K.forgetting .. ':' .. id, unpack(left))
redis.call('ZADD', K.forgetting, stamp(NOW), id)
-- A field that this version does not know may hold anything: only these stay, and the times of the states.
local kept = {}
for _, name in ipairs({'state', 'kind', 'account', 'tenant', 'priority', 'fingerprint', 'deadline', 'attempt', 'attempts',
  'polls', 'draft', 'stage', 'progress', 'credit', 'schema', 'counted', 'project_id', 'resends'}) do kept[name] = true end
for _, name in ipairs(redis.call('HKEYS', k)) do
  if not kept[name] and not string.find(name, '^t:%l+$') then redis.call('HDEL', k, name) end
end
set(id, 'forgotten', stamp(NOW), 'hooks', 0)
redis.call('DEL', K.meta .. id, K.body .. id, K.timeline .. id)
if ARGV[5] ~= '' then redis.call('SET', K.history .. id, ARGV[5]) else redis.call('DEL', K.history .. id) end
return {'done', ''}

-- The renders that match. It changes nothing. What it cannot read, it takes: Python reads the record and decides.
-- ARGV: conditions(JSON object: kind, account, priority, error_code, tenant, held, needles: texts in `meta`)
-- list('': the ids that follow) and then either ids -> those that match
-- or rows(how many to look at) before after last_score('': from the newest one) last_id
-- -> {ended, rows, last_score, last_id, own_score, own_id(the last one of the wanted tenant), id, score, id, score ...}
local wanted = cjson.decode(ARGV[3])
-- Bytes that one step searches at most, each as often as a text is looked for in it: a few milliseconds.
local left = 1000000
local function compare(id)
  local h = redis.call('HMGET', render(id), 'kind', 'account', 'priority', 'error_code', 'tenant', 'state')
  if wanted.tenant and (h[5] or 'default') ~= wanted.tenant then return false, false end
  local same = (not wanted.kind or h[1] == wanted.kind) and (not wanted.account or h[2] == wanted.account)
    and (not wanted.priority or h[3] == wanted.priority) and (not wanted.error_code or h[4] == wanted.error_code)
    and (wanted.held == nil or (h[6] == HELD) == wanted.held)
  if same and wanted.needles then
    local meta = redis.call('GET', K.meta .. id) or ''
    for _, needle in ipairs(wanted.needles) do
      left = left - #meta
      if left < 0 or not same then break end
      same = string.find(meta, needle, 1, true) ~= nil
    end
  end
  return same, true
end
local function matches(id)
  local read, same, own = pcall(compare, id)
  if not read then return true, true end
  return same, own
end

local list = ARGV[4]
if list == '' then
  local found = {}
  for n = 5, #ARGV do
    if matches(ARGV[n]) then found[#found + 1] = ARGV[n] end
  end
  return found
end

local rows, after, last_score, last_id = tonumber(ARGV[5]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local first = redis.call('ZCOUNT', list, '(' .. ARGV[6], '+inf')
local newest = tonumber(last_score)
if newest then first = math.max(first, redis.call('ZCOUNT', list, '(' .. last_score, '+inf')) end
local answer, seen = {1, 0, last_score, last_id, '', ''}, 0
while seen < rows do
  local some = redis.call('ZREVRANGE', list, first, first + rows - 1, 'WITHSCORES')
  if #some == 0 then return answer end
  for n = 1, #some, 2 do
    local id, score = some[n], some[n + 1]
    if tonumber(score) < after then return answer end
    -- Renders of the same instant are in descending order of their ids.
    if not newest or tonumber(score) < newest or (tonumber(score) == newest and id < last_id) then
      if seen == rows then break end
      seen = seen + 1
      local same, own = matches(id)
      answer[2], answer[3], answer[4] = seen, score, id
      if own then answer[5], answer[6] = score, id end
      if same then answer[#answer + 1], answer[#answer + 2] = id, score end
    end
  end
  first = first + rows
end
answer[1] = 0
return answer

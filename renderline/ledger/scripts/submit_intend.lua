-- Write down that a vendor call of this stage is about to be made. ARGV: id fence stage lease paid slots ('' no limit)
-- -> 1, 0 (claim lost), or -1: every slot of the account at the vendor is taken, so the render is parked
local id, fence = ARGV[3], ARGV[4]
if not mine(id, fence) then return 0 end
local lease, paid, limit = tonumber(ARGV[6]), ARGV[7] == '1', tonumber(ARGV[8])
local account = field(id, 'account')
if paid then
  local slots = P .. 'slots:' .. account
  if limit and redis.call('SISMEMBER', slots, id) == 0 and redis.call('SCARD', slots) >= limit then
    local order = tonumber(field(id, 't:accepted')) + ({high = 0, normal = 1, low = 2})[field(id, 'priority')] * 1e10
    redis.call('ZADD', P .. 'parked:' .. account, stamp(order), id)
    redis.call('HDEL', render(id), 'lease_until')
    set(id, 'note', 'waits for one of ' .. limit .. ' concurrent renders of its account to end')
    -- Its turn comes when a slot is freed; the sweep looks after it seldom.
    wake_at(id, NOW + GRACE * 10)
    return -1
  end
  redis.call('SADD', slots, id)
end
set(id, 'intent', ARGV[5], 'intent_at', stamp(NOW), 'lease_until', stamp(NOW + lease))
wake_at(id, NOW + lease + 1)
return 1

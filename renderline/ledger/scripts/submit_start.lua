-- The paid call was made: seen accepted (rendering) or not seen (unconfirmed). ARGV: id fence state project_id look_in
local id, fence, to = ARGV[3], ARGV[4], ARGV[5]
if not mine(id, fence) or not move(id, to) then return {0, false} end
if ARGV[6] ~= '' then set(id, 'project_id', ARGV[6]) end
local began = tonumber(field(id, 'intent_at')) or NOW
local deadline = began + tonumber(field(id, 'deadline'))
redis.call('HDEL', render(id), 'lease_until', 'note', 'untouched', 'untouched_at')
set(id, 'deadline_at', stamp(deadline), 'progress', 0, 'progress_at', stamp(NOW))
redis.call('ZADD', P .. 'deadline', stamp(deadline), id)
rest(id)
local look_in = tonumber(ARGV[7])
if redis.call('HDEL', render(id), 'hinted') == 1 then look_in = 0 end
return {1, follow(id, NOW + look_in)}

-- Index one render anew, and count it in the present generation of totals. ARGV: id meta(as it was read) meta(as it is
-- to be) shown(JSON: its labels as log lines show them, '': none) texts(flat, as index_texts takes them) -> 1, 0: it is
-- gone, or has changed
local id = ARGV[3]
local state = field(id, 'state')
if state == '' or (redis.call('GET', K.meta .. id) or '') ~= ARGV[4] then return 0 end
pcall(unindex_texts, id)
if ARGV[5] ~= ARGV[4] then redis.call('SET', K.meta .. id, ARGV[5]) end
if ARGV[6] ~= '' then set(id, 'labels', ARGV[6]) else redis.call('HDEL', render(id), 'labels') end
index_texts(id, field(id, 'tenant'), {unpack(ARGV, 7)})
if state == HELD then state = 'accepted' end
recount_render(id, state)
return 1

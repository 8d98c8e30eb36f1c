-- Say that the ledger agrees with the vendor -> 1, 0 (it was not in doubt)
redis.call('DEL', K.unchecked)
-- Whatever workers knew of it before is no proof any more.
local _, set_back = life(redis.call('GET', K.lived))
redis.call('SET', K.lived, stamp(NOW) .. ' ' .. set_back + 1000)
return redis.call('DEL', K.doubt)

-- Say that the ledger agrees with the vendor -> 1, 0 (it was not in doubt)
redis.call('DEL', K.unchecked)
redis.call('SET', K.lived, stamp(NOW))
return redis.call('DEL', K.doubt)

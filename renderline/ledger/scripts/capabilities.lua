-- List the capabilities of all live workers. -> array of names such as account:main and hook:http
return redis.call('ZRANGEBYSCORE', K.capabilities, '(' .. stamp(NOW - ALIVE_FOR), '+inf')

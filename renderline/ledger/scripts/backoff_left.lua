-- How long calls for an account have to wait. ARGV: account -> {seconds, 1 if its circuit is open}
local account = ARGV[3]
return {stamp(backoff_left(account)), circuit_open(account) and 1 or 0}

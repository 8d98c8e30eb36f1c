-- Make no calls for an account for some seconds. ARGV: account seconds
back_off(ARGV[3], tonumber(ARGV[4]))
return 1

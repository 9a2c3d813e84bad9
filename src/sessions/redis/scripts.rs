//! What Redis does in one step; each script touches one key.
//!
//! Numbers are compared as Lua's doubles, which are exact up to 2^53: microseconds since 1970 and
//! epochs stay below that. What is no number is nobody's record, and left alone.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])+ $name:ident = $code:literal;)+) => {$(
        $(#[$doc])+
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new($code));
    )+};
}

scripts! {
    /// Keeps a hash for `ARGV[1]` milliseconds; its fields and values follow.
    KEEP = "
        redis.call('HSET', KEYS[1], unpack(ARGV, 2))
        redis.call('PEXPIRE', KEYS[1], ARGV[1])";

    /// Enters a session at its account: digest, when it expires, now, for how many milliseconds,
    /// whom it speaks for. Gives the identity in force: that of the sessions there are.
    ENTER_ACCOUNT = "
        local others = 0
        local entered = redis.call('HGETALL', KEYS[1])
        for i = 1, #entered, 2 do
            if entered[i] ~= 'identity' then
                if (tonumber(entered[i + 1]) or 0) <= tonumber(ARGV[3]) then
                    redis.call('HDEL', KEYS[1], entered[i])
                else
                    others = others + 1
                end
            end
        end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        if others == 0 then
            redis.call('HSET', KEYS[1], 'identity', ARGV[5])
        end
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[4])
        end
        return redis.call('HGET', KEYS[1], 'identity')";

    /// Takes a session out of its account, and the account away with its last.
    LEAVE_ACCOUNT = "
        redis.call('HDEL', KEYS[1], ARGV[1])
        if redis.call('HLEN', KEYS[1]) == 1 and redis.call('HEXISTS', KEYS[1], 'identity') == 1 then
            redis.call('DEL', KEYS[1])
        end";

    /// Enters a session in a set: digest, when it expires, now, for how many milliseconds. Gives 1.
    ENTER_SET = "
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
            redis.call('PEXPIRE', KEYS[1], ARGV[4])
        end
        return 1";

    /// Notes a use at `ARGV[1]`, and keeps the record for `ARGV[2]` milliseconds from now on.
    TOUCH = "
        local seen = tonumber(redis.call('HGET', KEYS[1], 'last_seen') or '')
        if seen and seen < tonumber(ARGV[1]) then
            redis.call('HSET', KEYS[1], 'last_seen', ARGV[1])
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end";

    /// Kills a session of an epoch below `ARGV[1]`; gives its record if this did it.
    REVOKE = "
        local found = redis.call('HMGET', KEYS[1], 'epoch', 'killed_before')
        local epoch, before = tonumber(found[1] or ''), tonumber(found[2] or '')
        local new = tonumber(ARGV[1])
        if not epoch or not before or before >= new then
            return false
        end
        redis.call('HSET', KEYS[1], 'killed_before', ARGV[1])
        if epoch < before or epoch >= new then
            return false
        end
        return redis.call('HMGET', KEYS[1],
            'session', 'identity', 'role', 'epoch', 'killed_before', 'last_seen')";

    /// Gives a session the role `ARGV[1]` under the epoch `ARGV[2]`, unless it has a later one.
    CHANGE_ROLE = "
        local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '')
        if not epoch or epoch > tonumber(ARGV[2]) then
            return 0
        end
        redis.call('HSET', KEYS[1], 'role', ARGV[1], 'epoch', ARGV[2])
        return 1";

    /// Writes an identity where there is one.
    CHANGE_IDENTITY = "
        if redis.call('HEXISTS', KEYS[1], 'identity') == 1 then
            redis.call('HSET', KEYS[1], 'identity', ARGV[1])
        end";

    /// Takes a session's record away; gives it to the one who did.
    END = "
        local ended = redis.call('HMGET', KEYS[1],
            'session', 'identity', 'role', 'epoch', 'killed_before', 'last_seen', 'hints')
        redis.call('DEL', KEYS[1])
        return ended";

    /// Takes away what lies under a key, unless it is of the type `ARGV[1]`.
    CLEAR = "
        if redis.call('TYPE', KEYS[1]).ok ~= ARGV[1] then
            redis.call('DEL', KEYS[1])
        end";

    /// Begins a list with `ARGV[1]`, keeps `ARGV[2]` entries for `ARGV[3]` milliseconds; gives those
    /// beyond.
    ENTER_LIST = "
        redis.call('LPUSH', KEYS[1], ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        local beyond = redis.call('LRANGE', KEYS[1], ARGV[2], -1)
        redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
        return beyond";

    /// Takes the entry of the sign-in `ARGV[1]` out of its browser's list; eight bytes of time stand
    /// before its name.
    LEAVE_LIST = "
        for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
            if string.sub(entry, 9, 8 + #ARGV[1]) == ARGV[1] then
                redis.call('LREM', KEYS[1], 1, entry)
            end
        end";

    /// Ends a queue with `ARGV[1]`, keeps `ARGV[2]` members for `ARGV[3]` milliseconds; gives those
    /// beyond with their scores, which only count up.
    ENTER_QUEUE = "
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        redis.call('ZADD', KEYS[1], (tonumber(last[2] or '') or 0) + 1, ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        local beyond = redis.call('ZCARD', KEYS[1]) - ARGV[2]
        if beyond <= 0 then
            return {}
        end
        return redis.call('ZPOPMIN', KEYS[1], beyond)";

    /// Takes a sign-in that expires after `ARGV[1]`.
    TAKE_LOGIN = "
        local found = redis.call('HMGET', KEYS[1], 'login', 'expires_at')
        if not found[1] or (tonumber(found[2] or '') or 0) <= tonumber(ARGV[1]) then
            return false
        end
        redis.call('DEL', KEYS[1])
        return found[1]";
}

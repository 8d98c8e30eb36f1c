<?php
// Verifies a delivery with PHP alone: php verify.php SECRET HEADERS.json BODY

const TOLERANCE = 300; // seconds

/**
 * Returns the event; throws for a call that somebody else made, or that was sent long ago. The body is the bytes as
 * they came: file_get_contents('php://input').
 */
function verify(string $body, array $headers, string $secret): array
{
    $headers = array_change_key_case($headers);
    $id = $headers['webhook-id'] ?? '';
    $sent = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || !preg_match('/^\d+$/D', $sent)) {
        throw new RuntimeException('a webhook header is missing or wrong');
    }
    if (abs(time() - (int) $sent) > TOLERANCE) {
        throw new RuntimeException('it was sent too long ago, or a clock is wrong');
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $key, true));
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $one) {
        if (hash_equals($right, $one)) {
            return json_decode($body, true, 512, JSON_THROW_ON_ERROR);
        }
    }
    throw new RuntimeException('no signature is right');
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    [, $secret, $headersPath, $bodyPath] = $argv;
    try {
        $headers = json_decode(file_get_contents($headersPath), true, 512, JSON_THROW_ON_ERROR);
        $event = verify(file_get_contents($bodyPath), $headers, $secret);
    } catch (RuntimeException $wrong) {
        fwrite(STDERR, $wrong->getMessage() . PHP_EOL);
        exit(1);
    }
    echo $event['type'], ' ', $event['data']['id'], PHP_EOL;
}

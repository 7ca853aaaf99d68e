//! Numbers out of bytes, quickly.

/// What `byte` is worth as a hexadecimal digit; 255 if it is none.
const HEX: [u8; 256] = {
    let mut table = [255; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

/// The hexadecimal number at the start of `text`, without prefix, and how long it is; none without a digit or
/// beyond 64 bits.
#[inline]
pub(crate) fn hex(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    let mut len = 0;
    for &byte in text {
        let digit = HEX[byte as usize];
        if digit == 255 {
            break;
        }
        value = value << 4 | u64::from(digit);
        len += 1;
    }
    (len > 0 && len <= 16).then_some((value, len))
}

/// The decimal number at the start of `text`, and how long it is.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    let mut len = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        len += 1;
    }
    (len > 0).then_some((value, len))
}

/// All of `text` as a number: decimal, or hexadecimal after `0x`.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    let (value, len, of) = match text.strip_prefix(b"0x") {
        Some(digits) => hex(digits).map(|(value, len)| (value, len, digits.len()))?,
        None => decimal(text).map(|(value, len)| (value, len, text.len()))?,
    };
    (len == of).then_some(value)
}

//! Names as a person sees them: nothing in a name may move the cursor, change colours or turn text around.

use std::fmt::Write;
use std::path::Path;

/// Bytes of a name as printable text. Control characters, marks that reorder text and bytes that are not UTF-8 become
/// escapes such as `\n`, `\u{1b}` and `\xff`; everything else stays, backslashes too.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        for c in part.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c if is_unsafe(c) => push(&mut text, format_args!("\\u{{{:x}}}", u32::from(c))),
                c => text.push(c),
            }
        }
        for byte in part.invalid() {
            push(&mut text, format_args!("\\x{byte:02x}"));
        }
    }
    text
}

/// A path as printable text.
pub fn path(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

fn push(text: &mut String, escape: std::fmt::Arguments) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(escape);
}

/// Controls, line and paragraph separators, and marks that change direction or are not seen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay() {
        for name in ["a b", "été", "文件 🗂", r"C:\Users\x", "'\"$`", ""] {
            assert_eq!(escape(name.as_bytes()), name);
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_stays() {
        assert_eq!(escape(b"a\x1b[31mred\n\r\t\x7f"), "a\\u{1b}[31mred\\n\\r\\t\\u{7f}");
        assert_eq!(escape("\u{9b}2J".as_bytes()), "\\u{9b}2J");
        assert_eq!(escape("cod\u{202e}exe.txt".as_bytes()), "cod\\u{202e}exe.txt");
        assert_eq!(escape(b"caf\xe9 \xff\xc3"), "caf\\xe9 \\xff\\xc3");
        for c in ('\0'..='\u{9f}').filter(|c| c.is_control()).chain([
            '\u{2066}',
            '\u{200f}',
            '\u{2028}',
            '\u{ad}',
            '\u{3164}',
            '\u{e0241}',
        ]) {
            let mut bytes = [0; 4];
            let shown = escape(c.encode_utf8(&mut bytes).as_bytes());
            assert!(shown.starts_with('\\') && shown.chars().all(|c| !is_unsafe(c)), "{c:?} gave {shown:?}");
        }
    }
}

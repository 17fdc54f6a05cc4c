//! [`place`]: where a thread-local variable lies in the block of them all that each thread has, read from the program's file.

/// A place in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How far from the block's beginning the variable lies.
    pub at: u64,
    /// The size of the block.
    pub of: u64,
}

/// The segment that threads' blocks are copies of.
const PT_TLS: u64 = 7;
/// The section of the symbols, which has its names in another.
const SHT_SYMTAB: u64 = 2;
/// A symbol of a thread-local variable, in the low half of its byte.
const STT_TLS: u64 = 6;

/// The place of the one thread-local variable whose symbol has this in its name; `None` where that can't be said. The
/// program has 64 bits and little ends.
pub fn place(program: &[u8], name: &str) -> Option<Place> {
    let file = File(program);
    let segments = file.table(file.number(0x20, 8)?, 0x38, file.number(0x38, 2)?);
    let block = segments.into_iter().find(|at| file.number(*at, 4) == Some(PT_TLS))?;
    let sections = file.table(file.number(0x28, 8)?, 0x40, file.number(0x3c, 2)?);
    let symbols = *sections.iter().find(|at| file.number(**at + 4, 4) == Some(SHT_SYMTAB))?;
    let names = *sections.get(usize::try_from(file.number(symbols + 0x28, 4)?).ok()?)?;
    let names = file.number(names + 0x18, 8)?;
    let is_wanted = |at: &usize| {
        file.number(at + 4, 1).is_some_and(|info| info & 0xf == STT_TLS)
            && file.number(*at, 4).is_some_and(|offset| file.text(names + offset).contains(name))
    };
    let symbols = file.table(file.number(symbols + 0x18, 8)?, 0x18, file.number(symbols + 0x20, 8)? / 0x18);
    let mut wanted = symbols.into_iter().filter(is_wanted);
    let (symbol, None) = (wanted.next()?, wanted.next()) else {
        return None;
    };
    Some(Place { at: file.number(symbol + 8, 8)?, of: file.number(block + 0x28, 8)? })
}

struct File<'a>(&'a [u8]);

impl File<'_> {
    /// The number that so many bytes make there.
    fn number(&self, at: usize, bytes: usize) -> Option<u64> {
        let bytes = self.0.get(at..at + bytes)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Where the entries of a table begin.
    fn table(&self, start: u64, size: usize, entries: u64) -> Vec<usize> {
        let entries = (0..entries as usize).map(|entry| start as usize + entry * size);
        entries.collect()
    }

    /// The text that begins there.
    fn text(&self, at: u64) -> &str {
        let bytes = self.0.get(at as usize..).unwrap_or_default();
        let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

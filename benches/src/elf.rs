//! [`place`]: where a thread-local variable lies in the block of them all that each thread has, read from the program's file.

use object::elf::PT_TLS;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Object, ObjectSymbol, SymbolKind};

/// A place in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How far from the block's beginning the variable lies.
    pub at: u64,
    /// The size of the block.
    pub of: u64,
}

/// The place of the one thread-local variable whose symbol has this in its name; `None` where that can't be said. The
/// program has 64 bits.
pub fn place(program: &[u8], name: &str) -> Option<Place> {
    let file = ElfFile64::<object::Endianness>::parse(program).ok()?;
    let endian = file.endian();
    // Threads' blocks are copies of this segment.
    let block = file.elf_program_headers().iter().find(|header| header.p_type(endian) == PT_TLS)?;
    let mut wanted = file.symbols().filter(|symbol| {
        symbol.kind() == SymbolKind::Tls && symbol.name().is_ok_and(|symbol| symbol.contains(name))
    });
    let (symbol, None) = (wanted.next()?, wanted.next()) else {
        return None;
    };
    Some(Place { at: symbol.address(), of: block.p_memsz(endian) })
}

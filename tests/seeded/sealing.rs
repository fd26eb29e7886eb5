//! Bugs in how bytes are sealed, and in what is accepted when they are opened.

use crate::bug::{Bug, LIB};

pub const BUGS: &[Bug] = &[
    Bug {
        name: "drop AAD type",
        breaks: "P4: an object cannot pass for one of another type",
        file: "src/format/sealed.rs",
        find: ".u8(self.object.code()).u16(FORMAT_VERSION);\n        out.u32(self.epoch).bytes(&self.salt).u8(part.code())",
        replace: ".u8(0).u16(FORMAT_VERSION);\n        out.u32(self.epoch).bytes(&self.salt).u8(part.code())",
        place: LIB,
        test: "every_field_of_the_binding_changes_the_aad",
    },
    Bug {
        name: "constant nonce",
        breaks: "P2: no key and nonce occur twice",
        file: "src/format/wire.rs",
        find: "    nonce[4..].copy_from_slice(&counter.to_le_bytes());\n",
        replace: "    nonce[4..].copy_from_slice(&counter.min(0).to_le_bytes());\n",
        place: "format",
        test: "numbers_decode_to_what_is_beside_them",
    },
    Bug {
        name: "constant salt",
        breaks: "P2: no key and nonce occur twice",
        file: "src/repo/store.rs",
        find: "draft.finish(self.context.keys, random()?, closing)?",
        replace: "draft.finish(self.context.keys, random::<32>().map(|_| [7; 32])?, closing)?",
        place: "library",
        test: "no_two_objects_have_the_same_salt",
    },
    Bug {
        name: "skip commitment check",
        breaks: "P3: a wrong key is told before anything is opened with it",
        file: "src/seal/keys.rs",
        find: "        if bool::from(self.commitment.ct_eq(stored)) { Ok(()) } else { Err(SealError::WrongKey) }\n",
        replace: "        let _ = self.commitment.ct_eq(stored);\n        Ok(())\n",
        place: LIB,
        test: "records_open_only_as_what_they_are",
    },
    Bug {
        name: "accept truncated directory",
        breaks: "P3: what is opened follows the rules of its section; every chunk of a block is listed",
        file: "src/format/pack.rs",
        find: "            if raw != u64::from(block.raw_len) || raw > BLOCK_RAW_MAX as u64 || raw == 0 {\n",
        replace: "            if raw > u64::from(block.raw_len) || raw > BLOCK_RAW_MAX as u64 || raw == 0 {\n",
        place: LIB,
        test: "extents_and_directory_must_agree",
    },
    Bug {
        name: "a foot without salt",
        breaks: "P1: either end of a pack is enough",
        file: "src/format/pack.rs",
        find: "        out.bytes(&self.salt).bytes(&self.commitment).bytes(&self.sealed_extents);\n        out.finish_with_crc()\n",
        replace: "        let salt = if matches!(end, End::Head) { self.salt } else { [0; 32] };\n        out.bytes(&salt).bytes(&self.commitment).bytes(&self.sealed_extents);\n        out.finish_with_crc()\n",
        place: LIB,
        test: "one_damaged_region_never_loses_the_rest",
    },
];

//! Owners, and their names, from the system's user database. Slow where that is in the network: the caller keeps them.

/// The name of the user `uid`. `None` when there is none, or it is not UTF-8.
pub(in crate::source) fn user_name(uid: u32) -> Option<String> {
    uzers::get_user_by_uid(uid)?.name().to_str().map(str::to_owned)
}

/// The name of the group `gid`. `None` when there is none, or it is not UTF-8.
pub(in crate::source) fn group_name(gid: u32) -> Option<String> {
    uzers::get_group_by_gid(gid)?.name().to_str().map(str::to_owned)
}

/// User and group that this process makes files as.
pub(in crate::source) fn owner_of_process() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

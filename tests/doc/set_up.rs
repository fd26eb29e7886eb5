// What the examples in the documentation of the library begin with: each includes this file.

/// A folder with a repository as the front page of the library sets one up: its state is in `state`, its source is
/// `documents`, its destination is `stick`. The one file, `report.txt`, was backed up and changed since.
fn set_up() -> Result<tempfile::TempDir, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let documents = folder.path().join("documents");
    std::fs::create_dir(&documents)?;
    std::fs::write(documents.join("report.txt"), "first words")?;
    let home = cryptbackup::repo::Home::at(folder.path().join("state"));
    cryptbackup::repo::init(&home, cryptbackup::repo::InitRequest::default())?;
    home.edit_settings(|settings| {
        settings.put_source(cryptbackup::repo::settings::SourceSettings::new(&documents));
        Ok(())
    })?;
    let silent = cryptbackup::report::Silent;
    let mut repo = cryptbackup::repo::Repo::open(&home, cryptbackup::repo::Access::Write, None, &silent)?;
    repo.add_destination("primary", &folder.path().join("stick"), &silent)?;
    cryptbackup::backup::run(&mut repo, cryptbackup::backup::BackupRequest::default(), &silent)?;
    std::fs::write(documents.join("report.txt"), "second words, and more")?;
    Ok(folder)
}

//! The program in French: what the forerunner's users know word for word, and that scripts see no difference.

use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, World};

/// Runs the program with words parted by blanks, for a person who reads French.
fn run(world: &World, words: &str) -> Ended {
    Ended::of(command(world, words))
}

fn command(world: &World, words: &str) -> Command {
    let mut command = world.command(words.split_whitespace());
    command.env("CRYPTBACKUP_LANG", "fr");
    command
}

/// That each of these is in a text.
#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn setting_up_says_what_the_forerunner_said() {
    let world = World::new();
    has(&run(&world, "status").expect_code(10).stderr, &["CryptBackup n'est pas initialisé", "`cryptbackup init`"]);
    let made = run(&world, "init").expect_code(0).stdout;
    has(&made, &["CryptBackup initialisé avec succès !", "IMPORTANT : Sauvegardez votre clé de chiffrement !"]);
    has(&made, &["Prochaines étapes :", "cryptbackup add DOSSIER "]);
    has(&run(&world, "init").expect_code(2).stderr, &["Configuration déjà existante : ", "--force"]);
    let docs = world.folder("docs");
    world.write("file", "x");
    let shown = docs.display();
    has(&run(&world, "add nowhere").expect_code(2).stderr, &["Dossier introuvable : "]);
    has(&run(&world, "add file").expect_code(2).stderr, &["Ce n'est pas un dossier : "]);
    let added = run(&world, "add docs --exclude *.tmp,~*").expect_code(0).stdout;
    has(&added, &[&format!("Dossier ajouté : {shown}\n"), "Exclusions : *.tmp, ~*\n"]);
    let changed = run(&world, "config set compression.level 5").expect_code(0).stdout;
    assert_eq!(changed, "Configuration mise à jour : compression.level = 5\n");
    has(&run(&world, "config get there.is.none").expect_code(2).stderr, &["Clé non trouvée"]);
    has(&run(&world, "config set compression.level 99").expect_code(2).stderr, &["n'est pas un niveau de 1"]);
    has(&run(&world, "remove elsewhere").expect_code(1).stderr, &["Dossier non trouvé dans la config : "]);
    has(&run(&world, "remove docs").expect_code(0).stdout, &[&format!("Dossier retiré : {shown}")]);
}

#[test]
fn a_missing_destination_a_missing_source_and_a_wrong_key() {
    let world = World::new();
    world.run("init").expect_code(0);
    has(&run(&world, "backup").expect_code(1).stderr, &["erreur : Aucune source configurée"]);
    world.folder("docs");
    run(&world, "add docs").expect_code(0);
    has(&run(&world, "backup").expect_code(13).stderr, &["Destination manquante", "config set destinations.primary"]);
    run(&world, "config set destinations.primary primary").expect_code(0);
    has(&run(&world, "backup --source elsewhere").expect_code(2).stderr, &["Source non configurée"]);
    world.rename("docs", "away");
    has(&run(&world, "backup").stderr, &["Source introuvable : "]);
    let config = world.state().join("config.yaml");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let key = text.lines().find_map(|line| line.trim().strip_prefix("key: ")).expect("a key");
    let other = if key.contains("AAAA") { key.replace("AAAA", "BBBB") } else { format!("A{}", &key[1..]) };
    let other = if other == key { format!("B{}", &key[1..]) } else { other };
    std::fs::write(&config, text.replace(key, &other)).expect("ours");
    has(&run(&world, "status").expect_code(12).stderr, &["Clé de chiffrement invalide", "votre config.yaml"]);
}

#[test]
fn backups_status_and_an_unplugged_destination() {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/one.txt", "one");
    let dry = run(&world, "backup --dry-run").expect_code(0).stdout;
    has(&dry, &["MODE DRY-RUN (simulation uniquement)", "1 fichier nouveau"]);
    has(
        &run(&world, "backup").expect_code(0).stdout,
        &["Backup terminé !", "durée : ", "Protégé sur 2 de 2 destinations"],
    );
    let status = run(&world, "status").expect_code(0);
    let line = status.stdout.lines().find(|line| line.contains("[primary]")).expect("a line for each destination");
    has(line, &["🖥️  [primary]", &world.path("primary").display().to_string(), "  Libre : "]);
    has(
        &status.stdout,
        &[" Destinations :\n", "Dernier backup ", "Espace utilisé ", "Espace économisé ", "à l'instant"],
    );

    world.rename("secondary", "pulled");
    world.write("docs/two.txt", "two");
    let behind = run(&world, "backup").expect_code(5);
    has(&behind.stdout, &["Destination non trouvée (", "en retard de 1 instantané", "Protégé sur 1 de 2 destinations"]);
    has(&behind.stderr, &["attention : [secondary] est en retard de 1 instantané", "conseil : "]);
    has(&run(&world, "status").expect_code(0).stdout, &["[secondary]", "Destination non trouvée ("]);
    world.rename("primary", "pulled too");
    has(&run(&world, "backup").expect_code(13).stderr, &["Aucune destination accessible : [primary] "]);
}

#[test]
fn listing_restoring_and_cleaning() {
    let world = World::set_up(&["primary"]);
    let file = world.write("docs/report.txt", "first");
    run(&world, "backup").expect_code(0);
    world.write("docs/report.txt", "second, and longer");
    run(&world, "backup").expect_code(0);
    let shown = file.display();
    let list = run(&world, "list docs/report.txt").expect_code(0).stdout;
    has(&list, &[&format!("Historique de : {shown}\n"), "Version", "Taille", "actuelle"]);
    let none = run(&world, "list docs/none.txt").expect_code(1).stderr;
    has(&none, &["erreur : Aucun backup trouvé pour : "]);
    let restored =
        run(&world, "restore --file docs/report.txt --version 1 --destination old.txt").expect_code(0).stdout;
    has(
        &restored,
        &["Choisi : version 1 (2 connues), date du backup ", "Fichier restauré avec succès !", "taille : 5 B"],
    );
    assert_eq!(world.read("old.txt"), "first");
    let folder = run(&world, "restore --directory docs --destination restored --verify").expect_code(0).stdout;
    has(&folder, &["Dossier restauré !", "taille totale : ", "Vérifié : "]);
    let wrong = |words: &str| run(&world, &format!("restore --file docs/report.txt {words}")).stderr;
    has(&wrong("--version 9"), &["Version 9 introuvable pour "]);
    has(&wrong("--date 2001-01-01"), &["Aucun backup trouvé avant 2001-01-01 23:59:59 pour "]);
    has(&wrong("--date hier"), &["Format de date invalide : `hier`", "2026-01-15"]);
    let dry = run(&world, "clean --dry-run").expect_code(0).stdout;
    has(&dry, &["MODE DRY-RUN (simulation uniquement), rien n'a été supprimé", "reste : le plus récent de "]);
    let cleaned = run(&world, "clean --keep-last 1").expect_code(0).stdout;
    has(&cleaned, &["1 instantané reste, 1 supprimé\n"]);
    has(&run(&world, "check").expect_code(0).stdout, &["rien à signaler", "Aucun dommage trouvé."]);
}

#[test]
fn help_is_french_and_wrong_usage_begins_in_french() {
    let world = World::new();
    let help = run(&world, "--help").expect_code(0).stdout;
    has(&help, &["Usage : cryptbackup [OPTIONS] <COMMANDE>", "Commandes :", "Options communes :", "EXEMPLES :"]);
    has(&help, &["CODES DE SORTIE :\n", "  13  aucune destination accessible", "ENVIRONNEMENT :\n", "Afficher l'aide"]);
    assert!(!help.contains("EXAMPLES") && !help.contains("Print help"), "{help}");
    let help = run(&world, "restore --help").expect_code(0).stdout;
    has(
        &help,
        &["Restaurer un fichier, un dossier", "--file <FICHIER>", "[par défaut : always]", "[valeurs possibles : "],
    );
    has(&run(&world, "help backup").expect_code(0).stdout, &["Seulement cette source ; peut être répété"]);
    let wrong = run(&world, "backup --nonsense").expect_code(2).stderr;
    has(&wrong, &["erreur : ", "--nonsense"]);
    assert!(!wrong.contains("error: "), "{wrong}");
}

#[test]
fn the_locale_decides_and_the_own_variable_before_it() {
    let world = World::new();
    let said = |variables: &[(&str, &str)]| {
        let mut command = world.command(["status"]);
        command.envs(variables.iter().copied());
        Ended::of(command)
    };
    has(&said(&[("LANG", "fr_FR.UTF-8")]).expect_code(10).stderr, &["CryptBackup n'est pas initialisé"]);
    has(&said(&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")]).expect_code(10).stderr, &["is not initialised"]);
    has(&said(&[("LC_ALL", "fr_FR"), ("CRYPTBACKUP_LANG", "en")]).expect_code(10).stderr, &["is not initialised"]);
    has(&said(&[("LANG", "fr_FR"), ("CRYPTBACKUP_LANG", "xx")]).expect_code(2).stderr, &["CRYPTBACKUP_LANG", "en, fr"]);
}

/// Other tests write to the same disk meanwhile.
fn without_free_bytes(mut value: Value) -> Value {
    match &mut value {
        Value::Array(all) => all.iter_mut().for_each(|one| *one = without_free_bytes(one.take())),
        Value::Object(fields) => {
            fields.remove("free_bytes");
            fields.values_mut().for_each(|one| *one = without_free_bytes(one.take()));
        }
        _ => {}
    }
    value
}

#[test]
fn scripts_see_the_same_in_every_language() {
    let world = World::set_up(&["primary"]);
    world.write("docs/one.txt", "one");
    run(&world, "backup").expect_code(0);
    for words in ["status", "snapshots", "list docs/one.txt", "config show", "destination list", "sysinfo", "ls latest"]
    {
        let words = format!("{words} --json");
        let same = |ended: Ended| without_free_bytes(ended.expect_code(0).json());
        assert_eq!(same(run(&world, &words)), same(world.run(&words)), "{words}");
    }
    let fatal = |ended: Ended| -> Value { serde_json::from_str(ended.expect_code(1).stdout.trim()).expect("JSON") };
    let (mut french, mut english) =
        (fatal(run(&world, "list nothing --json")), fatal(world.run("list nothing --json")));
    has(french["message"].as_str().expect("a sentence"), &["Aucun backup trouvé pour : "]);
    for key in ["message", "hint"] {
        assert_ne!(french[key], english[key]);
        french[key] = english[key].take();
        english[key] = french[key].clone();
    }
    assert_eq!(french, english);
}

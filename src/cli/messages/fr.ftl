### Ce que dit le programme, en français. `en.ftl` a les mêmes phrases avec les mêmes variables.
###
### Les phrases du prédécesseur sont reprises mot pour mot là où elles veulent dire la même chose ; ses tailles aussi
### (45.2 GB). Une phrase que le code continue, dans une liste par exemple, ne finit pas par un point.

## Chaque ligne

line-error = erreur : { $sentence }
line-hint = conseil : { $sentence }
line-note = remarque : { $sentence }
line-warning = attention : { $sentence }
list-and = { $first } et { $second }
because = { " " }: { $why }

## Nombres et moments

count-chunks = { $n } { $n ->
    [one] morceau
   *[other] morceaux
}
count-files = { $n } { $n ->
    [one] fichier
   *[other] fichiers
}
count-histories = { $n } { $n ->
    [one] historique
   *[other] historiques
}
count-packs = { $n } { $n ->
    [one] paquet
   *[other] paquets
}
count-snapshots = { $n } { $n ->
    [one] instantané
   *[other] instantanés
}
ago-future = dans le futur
ago-now = à l'instant
ago-minutes = il y a { $n } { $n ->
    [one] minute
   *[other] minutes
}
ago-hours = il y a { $n } { $n ->
    [one] heure
   *[other] heures
}
ago-days = il y a { $n } { $n ->
    [one] jour
   *[other] jours
}
ago-months = il y a { $n } mois
never = jamais

## Codes de sortie, comme `--help` et README.fr.md les donnent

exit-heading = CODES DE SORTIE :
exit-0 = terminé
exit-1 = échec, rien n'a été enregistré
exit-2 = mauvais usage
exit-3 = terminé, mais des fichiers n'ont pas pu être lus ou ont changé pendant la lecture
exit-4 = terminé, mais le backup paraît suspect
exit-5 = terminé, mais une destination est en retard ou hors d'atteinte
exit-10 = non initialisé
exit-12 = clé ou phrase secrète invalide
exit-13 = aucune destination accessible
exit-14 = trop peu de copies, quelle qu'en soit la raison (un disque plein par exemple)
exit-15 = dommages trouvés
exit-16 = dommages trouvés et tous réparés
exit-130 = interrompu

## Environnement

environment-heading = ENVIRONNEMENT :
environment-home = dossier d'état, à la place de ~/.mybackup
environment-passphrase = phrase secrète, quand config.yaml ne contient pas de clé
environment-passphrase-file = fichier contenant la phrase secrète
environment-passphrase-command = commande qui affiche la phrase secrète
environment-key-file = fichier-clé, quand config.yaml ne contient pas de clé
environment-lang = en ou fr
environment-no-color = pas de couleurs quand elle est définie
environment-language = { $variable } n'est pas une langue que parle ce programme : en, fr
environment-empty = La variable d'environnement { $name } est vide
environment-both = Les variables d'environnement { $one } et { $other } sont définies toutes les deux

## Erreurs qui terminent une commande

error-already-initialised = Configuration déjà existante : { $home }
error-config = { $key } : { $detail }
error-damaged = { $object } sur { $place } est endommagé : { $detail }
error-destination = Impossible de { $what } sur { $place } : { $reason }
error-foreign-state = { $path } est { $what } ; il n'est pas touché
error-format = { $object } est endommagé : { $reason }
error-index = L'index local est inutilisable : { $detail }
error-interrupted = Opération annulée par l'utilisateur
error-io = Impossible de { $what } { $path } : { $reason }
error-locked = Une autre commande écrit déjà avec le dossier d'état { $home }
error-locked-by = Une autre commande (processus { $process }) écrit déjà avec le dossier d'état { $home }
error-newer-program = { $object } a été écrit par un programme plus récent (version de format { $version })
error-no-destination = Destination manquante : aucune destination n'est configurée
error-not-a-destination = Impossible de se connecter à { $path } : { $why }
error-not-found = { $what }
error-nothing-came = rien n'est arrivé pour { $name }
error-not-initialised = CryptBackup n'est pas initialisé : il n'y a pas de configuration dans { $home }
error-nothing-to-back-up = { $why }
error-open-to-others = { $path } contient la clé et peut être lu par d'autres
error-overtaken = Entre-temps une autre machine a nettoyé une destination, et ce sur quoi cette exécution comptait n'est plus là
error-settings = { $path } : { $what }
error-settings-line = { $path }, ligne { $line } : { $what }
error-settings-lost = config.yaml manque dans { $home }, où se trouve l'état d'un dépôt
error-stored-nowhere = Le backup n'a pu être stocké sur aucune destination{ $reasons }
error-too-few-copies = Le backup se trouve sur { $number } des { $wanted } destinations que demande `min_copies`{ $reasons }
error-unreachable = Aucune destination accessible{ $reasons }
error-wrong-key = Clé de chiffrement invalide : { $what }

## Ce qu'on peut y faire

hint-add = `cryptbackup add DOSSIER` ajoute une source, `remove DOSSIER` en retire une, `config show` les liste
hint-add-destination = exécutez `cryptbackup config set destinations.primary DOSSIER`
hint-again = relancez la commande ; rien de ce qui était sauvegardé n'est touché
hint-check = `cryptbackup check --read-data` liste tous les dommages et les instantanés concernés ; avec --heal il répare ce qui peut l'être
hint-chmod = exécutez `chmod 600` sur ce fichier ; si quelqu'un a pu le lire, la clé n'est plus secrète
hint-connect = branchez le disque ou montez le partage, et donnez le dossier qui contient `cryptbackup.repo` ; sur une machine encore sans backups, exécutez plutôt `cryptbackup quickstart`
hint-force = elle peut servir telle quelle ; `cryptbackup init --force` la met de côté et recommence à neuf ; pour `cryptbackup connect`, déplacez ce dossier
hint-force-clean = si c'est voulu, ajoutez --force ; `clean` et `purge` disent avec --dry-run ce qu'ils feraient
hint-go-on = ce qui a été stocké jusqu'ici sera retrouvé par la prochaine exécution
hint-init = exécutez `cryptbackup init`, ou `cryptbackup connect DOSSIER` pour reprendre des backups existants
hint-key = restaurez votre config.yaml depuis votre copie de sauvegarde, ou donnez la phrase secrète correspondante, ou --key-file FICHIER, ou --recovery-key FICHIER avec les mots de secours
hint-listed = `cryptbackup { $command }` montre ce qu'il y a
hint-look = `cryptbackup status`, `snapshots` et `restore --list` montrent ce qu'il y a
hint-memory = ce qui devait être stocké n'est pas ressorti de la mémoire tel qu'il y était entré ; testez la mémoire de cette machine
hint-more-copies = faites de la place, ou autorisez l'écriture, ou branchez ce qui manque, et relancez la commande ; ou diminuez `min_copies`
hint-move-away = s'il ouvre des backups existants de ce programme, exécutez `cryptbackup connect DOSSIER` ; sinon déplacez-le ou donnez un autre dossier à CRYPTBACKUP_HOME, puis exécutez `cryptbackup init`
hint-no-copy = faites de la place, ou autorisez l'écriture, ou branchez ce qui manque, et relancez la commande
hint-nothing-came = regardez ce qui devait l'écrire ; si un fichier vide est voulu, ajoutez --force
hint-others = branchez les autres destinations et réessayez ; `cryptbackup check` dit ce qui manque et où
hint-permissions = vérifiez les permissions du fichier et de ses dossiers
hint-plug-in = branchez le disque, montez le partage ou rendez-le accessible en écriture, et réessayez ; `cryptbackup status` montre toutes les destinations et que faire de chacune
hint-plugged = vérifiez que le disque est branché ou que le partage est monté, et réessayez
hint-read-only = ce disque est en lecture seule : rendez-le accessible en écriture. Si c'est celui du dossier d'état, ce qui est stocké peut quand même être restauré ; sinon `CRYPTBACKUP_HOME=DOSSIER cryptbackup connect DESTINATION --config COPIE` met en place un autre dossier d'état
hint-rebuild = exécutez `cryptbackup rebuild-index` ; il est refait à partir des destinations
hint-room = faites de la place sur ce disque
hint-settings-broken = ouvrez { $path } dans un éditeur et corrigez cela, ou remettez votre copie en place
hint-settings-lost = remettez votre copie de config.yaml en place, ou exécutez `cryptbackup connect DOSSIER` avec une destination de ce dépôt ; pour recommencer à neuf, déplacez ce dossier, ce que fait `cryptbackup init --force`
hint-show = `cryptbackup config show` affiche la configuration, `config set --help` liste ses clés
hint-sources = `cryptbackup config show` liste les sources et leurs exclusions
hint-there = rien n'a été écrasé ; donnez un autre nom, ou déplacez ce qui est là
hint-threads = fermez d'autres programmes, ou augmentez le nombre de processus permis à cet utilisateur, ou à son conteneur (`ulimit -u`), et relancez la commande
hint-update = mettez cryptbackup à jour ; rien n'est endommagé
hint-wait = attendez qu'elle se termine, puis réessayez

## Les destinations et leur état

destinations-heading = Destinations :
destination-absent = Destination non trouvée (périphérique débranché ?)
destination-absent-local = Destination non trouvée (dossier déplacé ou supprimé ?)
destination-absent-nas = Destination non trouvée (partage non monté ?)
destination-damaged = Endommagée
destination-free = Libre : { $size }
destination-full = Pleine
destination-online = En ligne
destination-out-of-reach = Hors d'atteinte
destination-read-only = Pas de permission d'écriture
destination-rolled-back = Revenue à un état antérieur, ou quelque chose est caché
destination-weak = Les noms n'y sont pas durables aussitôt
destination-wrong-device = Autre chose se trouve à cet endroit
destination-trouble = { $trouble } : { $detail }
snapshots-behind = en retard de { $n } { $n ->
    [one] instantané
   *[other] instantanés
}
destination-is-behind = [{ $name }] est en retard{ $why }
destination-lacks = [{ $name }] est en retard de { $n } { $n ->
    [one] instantané
   *[other] instantanés
}{ $why }
behind-hint-absent = elle sera mise à jour par le prochain `backup` ou `sync` dès qu'elle sera de nouveau là
behind-hint-damaged = `cryptbackup check --read-data` liste ce qui est endommagé, et `--heal` le répare
behind-hint-full = faites-y de la place, puis exécutez `cryptbackup sync`
behind-hint-read-only = rendez-la accessible en écriture, puis exécutez `cryptbackup sync`
behind-hint-rolled-back = `cryptbackup sync` ramène ce qu'ont les autres destinations ; `cryptbackup destination accept { $name }` la prend telle qu'elle est
behind-hint-sync = `cryptbackup sync` la met à jour tant qu'une destination qui a ces instantanés est accessible
behind-hint-wrong-device = remettez ce qui s'y trouvait ; si c'en est une copie, exécutez `cryptbackup destination accept { $name }` ; pour recommencer avec ce qui s'y trouve, exécutez `cryptbackup config set destinations.{ $name } { $path }`

## Problèmes avec certains fichiers

problems-heading = { $n } { $n ->
    [one] problème
   *[other] problèmes
} :
problems-more = … et { $n } { $n ->
    [one] autre
   *[other] autres
} (`-v` les liste tous)
problem-line = { $path } : { $detail }
problem-hint-changed = ce qui a changé pendant la lecture est stocké tel qu'il a été lu, et relu la prochaine fois
problem-hint-damaged = branchez les autres destinations et réessayez ; `cryptbackup check --read-data` liste ce qui est endommagé et où
problem-hint-metadata = les propriétaires et certains attributs ne peuvent être restaurés que par root
problem-hint-never-backed-up = ce qui n'a pas pu être lu lors du backup n'est dans aucun instantané ; corrigez ses permissions là où il est, et relancez un backup
problem-hint-rotten = son disque ou sa mémoire est peut-être en train de lâcher ; vérifiez-les, et reprenez la bonne version : cryptbackup restore --file FICHIER --version N
problem-hint-not-restored = corrigez cela et relancez la restauration ; ce qui est déjà bon n'est pas réécrit
problem-hint-source-missing = son dernier backup reste valable ; `cryptbackup remove DOSSIER` la retire, `backup --force` accepte qu'elle soit vide
problem-hint-unreadable = s'il y a une version précédente, elle remplace ce qui n'a pas pu être lu ; vérifiez ses permissions, ou excluez-le avec `cryptbackup exclude MOTIFS`

## Backups qui paraissent suspects

suspect = { $path } paraît suspect
suspect-why = { $path } paraît suspect : sur { $files } fichiers, { $why }
suspect-changed = { $changed } ont un autre contenu, celui de { $opaque } paraît aléatoire (chiffré ?)
suspect-gone = { $gone } ont disparu
suspect-changed-and-gone = { $changed }, et { $gone }
suspect-nothing-goes = rien n'en est supprimé : dans l'instantané { $id }, { $why }
suspect-hint = regardez les fichiers avant de vous fier à ce backup ; les plus anciens sont gardés, aussi par `clean`. Si tout est comme il faut, `cryptbackup backup --accept-changes` le confirme
suspect-hint-forget = regardez les fichiers avant de vous fier à ce backup ; les plus anciens sont gardés, aussi par `clean`. Si tout est comme il faut, `cryptbackup backup --accept-changes` le confirme ; `cryptbackup forget` retire un instantané qui n'est pas comme il faut

## Clés, phrases secrètes et mots de secours

environment-not-utf8 = { $name } n'est pas en UTF-8
secret-none = config.yaml ne contient pas de clé, aucune phrase secrète n'a été donnée, et il n'y a pas de terminal où la demander
secret-too-long = il est trop long
passphrase-empty = La phrase secrète est vide
passphrase-no-terminal = Il n'y a pas de terminal où demander la phrase secrète ; utilisez --passphrase-file ou --passphrase-command
passphrase-ask = Phrase secrète :
passphrase-ask-new = Nouvelle phrase secrète :
passphrase-ask-again = Encore la même :
passphrases-differ = Les deux phrases secrètes sont différentes
words-none = { $file } ne contient pas de mots de secours
key-file-empty = { $file } est vide, et n'est donc pas un fichier-clé
the-terminal = le terminal
ended-with = elle s'est terminée avec { $status }
verb-read = lire
verb-read-passphrase = lire la phrase secrète sur
verb-run = exécuter

## Clés

column-key = Clé
column-opened-by = Ouverte par
column-places = Où
slot-inline = clé de config.yaml
slot-passphrase = phrase secrète
slot-recovery = mots de secours
slot-key-file = fichier-clé
key-here = cet ordinateur
key-in-use = utilisée
key-removed-still-there = retirée ; disparaît au prochain backup
key-epoch = Les nouveaux backups sont scellés avec la clé { $epoch } du trousseau { $ring }.
key-not-looked-at = Hors de portée : { $names }
key-behind = [{ $name }] le recevra à son retour : { $why }
key-add-what = Dites quoi ajouter : --recovery-key FICHIER, --passphrase-file FICHIER, --passphrase-command COMMANDE, --key-file FICHIER ou --inline
key-added = Clé { $id } ajoutée : { $kind }. Elle ouvre tout, et les autres clés aussi.
key-in-file = Elle est dans { $file }. Gardez-la loin des backups : qui a les deux peut tout lire.
key-file-short = { $file } a moins de 32 octets et pourrait être deviné ; prenez un autre fichier, ou un nouveau nom, sous lequel un fichier-clé est fait
key-new-in-config = Elle est maintenant dans config.yaml. Les copies de config.yaml faites avant ouvrent encore tout, jusqu'à ce que `cryptbackup key remove` retire la clé qu'elles contiennent.
key-removed = Clé { $id } retirée : { $kind }
key-removed-note = qui a copié cette clé et connaît son secret peut encore ouvrir ce dont il a une copie ; voir « Les clés » dans README.fr.md
key-out-of-config = Elle n'est plus dans config.yaml non plus. Désormais cet ordinateur a besoin d'une autre clé pour chaque commande, comme CRYPTBACKUP_PASSPHRASE_FILE ou CRYPTBACKUP_KEY_FILE.
key-rotated = Ce qui est écrit à partir de maintenant est scellé avec la clé { $epoch }. Ce qui a été écrit avant reste lisible, et les mêmes phrases, mots et fichiers l'ouvrent.
key-exported = La clé est dans { $file }. Sur une nouvelle machine : `cryptbackup connect DOSSIER --config` et ce fichier.
key-keep-apart = Gardez-la loin des backups : qui a les deux peut tout lire.
key-file-heading = Clé du dépôt CryptBackup { $repo }, pour `cryptbackup connect --config`
key-export-none = config.yaml ne contient pas de clé à exporter ; `cryptbackup key export --words FICHIER` fait des mots de secours
key-export-same = La clé et les mots ont besoin de deux fichiers
key-export-by-itself = C'est la clé de config.yaml qui est exportée, et aucune autre ne l'ouvre pour cela ; retirez les options de clé, ou exportez seulement de nouveaux mots avec --words FICHIER

## Ce qui est tapé

path-empty = Un chemin est vide
verb-resolve = résoudre
verb-look-at = consulter
verb-handle = intercepter
verb-write-to = écrire sur
standard-output = la sortie standard
signal = le signal { $number }
command-failed = `{ $command }` a échoué : { $how }
snapshot-not-one = Un instantané se nomme par le début de son identifiant, `latest` ou `latest~N`
date-too-long-ago = `{ $text }` est trop loin dans le passé
date-not-one = Format de date invalide : `{ $text }`. Utilisez 2026-01-15 (la fin de ce jour), 2026-01-15T10:30, 2026-01-15T10:30:00+01:00, ou 5h, 2d, 3w pour il y a autant d'heures, de jours, de semaines
percentage-not-one = il faut un pourcentage supérieur à 0 et d'au plus 100, comme 5%
key-unknown = config.yaml : la clé `{ $key }` n'est pas connue et n'a pas d'effet

## Progression

stage-opening = Ouverture
stage-reading = Lecture
stage-catching-up = Rattrapage
stage-restoring = Restauration
stage-checking = Contrôle
stage-rebuilding = Reconstruction
stage-cleaning = Nettoyage
bar-amount = { $done } sur { $total }, encore { $left }
would-read = serait lu : { $what }
stopping = Arrêt demandé... au prochain point sûr ; Ctrl-C encore une fois arrête aussitôt.

## Mise en place

value-dir = DOSSIER
value-file = FICHIER
next-steps = Prochaines étapes :
folder-added = Dossier ajouté : { $path }
folder-replaced = Options du dossier remplacées : { $path }
folder-excluded = Exclusions : { $patterns }
exclude-none = rien n'est exclu
exclude-not-set = Aucune source n'exclut { $patterns }
exclude-what-if = Sans { $patterns } :
exclude-left-out = ne sera plus lu
exclude-of = sur
exclude-stored = stocké pour cela
exclude-alone = rien que pour cela
exclude-largest = Les plus grands :
folder-not-there = Dossier introuvable : { $path }
folder-is-link = { $path } est un lien symbolique ; ajoutez le dossier auquel il mène
folder-is-none = Ce n'est pas un dossier : { $path }
folder-is-own = { $path } est là où ce programme garde des backups ou son propre état
folder-no-source = Dossier non trouvé dans la config : { $path }
folder-removed = Dossier retiré : { $path } ; ses backups sont conservés
initialised = CryptBackup initialisé avec succès ! Configuration : { $config }
next-add = ce qu'il faut sauvegarder
next-destination = où le sauvegarder
words-only-new = Les mots de secours ne sont faits qu'avec un nouveau dépôt, et il y en a déjà un
words-file-exists = { $file } existe déjà et n'est pas écrasé
words-file-heading = Mots de secours du dépôt CryptBackup { $repo }
words-shown = Mots de secours. Notez-les maintenant ; ils ne seront plus montrés :
key-important = IMPORTANT : Sauvegardez votre clé de chiffrement ! Sans elle, la restauration est impossible.
key-is-passphrase = Votre phrase secrète est la clé. Personne ne pourra vous la redire.
key-in-config = Elle est dans config.yaml. Copiez ce fichier maintenant sur un autre disque ou en lieu sûr :
key-words-in-file = Les mots de secours dans { $file } ouvrent le dépôt aussi. Imprimez-les, puis supprimez le fichier.
key-words-above = Les mots de secours ci-dessus ouvrent le dépôt aussi. Gardez-les sur papier.
moved-aside = Ce qui était en place avant est gardé dans { $path }
value-name = NOM
config-keys = CLÉS :
config-changed = Configuration mise à jour : { $key } = { $value }
config-key-kept = La clé qui s'y trouvait est gardée dans { $path }
config-not-utf8 = la valeur n'est pas en UTF-8
connect-key-not-put = la clé que cet ordinateur a maintenant n'est pas encore sur [{ $name }], le prochain backup l'y met : { $why }
connect-no-key = Aucune clé n'a été donnée ; utilisez --config FICHIER, --recovery-key FICHIER, --key-file FICHIER ou --passphrase-file FICHIER
connect-defaults = Les exclusions, la rétention et les autres réglages sont dans config.yaml seulement, pas sur les destinations : ils ont maintenant leurs valeurs par défaut. `cryptbackup exclude MOTIFS` et `cryptbackup config set CLÉ VALEUR` les règlent à nouveau.
connected = Connecté à la destination [{ $name }] : { $n } { $n ->
    [one] instantané
   *[other] instantanés
} de
next-list = ce qu'il y a à restaurer
next-everything = tout, dans DOSSIER
next-go-on = continuer les backups à partir d'ici
destination-accepted = La destination [{ $name }] est acceptée.
destination-forgotten = La destination [{ $name }] est oubliée ; ce qui s'y trouve y reste.
destination-taken-up = La destination [{ $name }] est { $path }. Elle contient déjà des backups de ce dépôt et est reprise.
destination-ready = La destination [{ $name }] est { $path }. Elle est prête.
destination-next = Le prochain `cryptbackup backup` ou `sync` la met à jour.
destination-in-source = Elle se trouve dans la source { $path } et est exclue de ses backups.
destination-was = [{ $name }] était { $path } jusqu'ici ; ce qui s'y trouve y reste et ne sert plus
destination-was-hint = `cryptbackup config set destinations.AUTRE { $path }` s'en sert de nouveau, sous un autre nom
destination-unknown = il n'y a pas de destination `{ $name }`
from-now-on = À partir de maintenant :
next-backup = nouveau backup ; seul ce qui a changé est stocké
next-status = où en sont les choses
next-restore = récupérer un fichier
next-second = garder une deuxième copie ailleurs
quickstart-done = { $path } est sauvegardé.
quickstart-partial = { $path } est sauvegardé, mais pas en entier.
quickstart-inside = { $path } se trouve dans la destination où il doit être sauvegardé
quickstart-no-parent = Impossible de créer : { $path } ; le dossier où il se trouverait n'existe pas
quickstart-other-primary = La destination primaire est déjà { $path } ; ajoutez-en une autre avec `cryptbackup config set destinations.secondary DOSSIER`
quickstart-holds-backups = { $path } contient déjà des backups ; pour continuer avec eux, exécutez `cryptbackup connect { $path }`

## Instantanés à la main

forgotten = { $n ->
    [one] L'instantané { $ids } est oublié.
   *[other] Les instantanés { $ids } sont oubliés.
}
forgotten-space = { $n ->
    [one] Sa place est rendue par `cryptbackup clean` ; d'ici là `cryptbackup unforget { $ids }` le ramène.
   *[other] Leur place est rendue par `cryptbackup clean` ; d'ici là `cryptbackup unforget { $ids }` les ramène.
}
unforgotten = { $n ->
    [one] L'instantané { $ids } est de retour.
   *[other] Les instantanés { $ids } sont de retour.
}
unforgotten-pin = { $n ->
    [one] `cryptbackup pin { $ids }` le garde quoi que disent les règles.
   *[other] `cryptbackup pin { $ids }` les garde quoi que disent les règles.
}
pinned = { $n ->
    [one] L'instantané { $ids } est épinglé et reste quoi que disent les règles.
   *[other] Les instantanés { $ids } sont épinglés et restent quoi que disent les règles.
}
unpinned = { $n ->
    [one] L'instantané { $ids } n'est plus épinglé : les règles décident de nouveau.
   *[other] Les instantanés { $ids } ne sont plus épinglés : les règles décident de nouveau.
}
tags-none = L'instantané { $id } n'a plus d'étiquettes.
tags-now = L'instantané { $id } a maintenant ces étiquettes : { $tags }
note-none = L'instantané { $id } n'a plus de note.
note-now = L'instantané { $id } a maintenant une note : { $note }

## Backups

backup-files = { $added } { $added ->
    [one] fichier nouveau
   *[other] fichiers nouveaux
}, { $changed } { $changed ->
    [one] modifié
   *[other] modifiés
}, { $unmodified } { $unmodified ->
    [one] inchangé
   *[other] inchangés
} dans { $folders } { $folders ->
    [one] dossier
   *[other] dossiers
}
backup-done = Backup terminé ! Instantané { $id } : { $files }
backup-dry-run = MODE DRY-RUN (simulation uniquement), rien n'a été écrit : { $files }
backup-none = Aucun instantané n'a été fait : { $files }
backup-excluded = { $n } { $n ->
    [one] entrée exclue
   *[other] entrées exclues
}
backup-would-read = { $size } seraient lus
backup-bytes = Lu : { $read }, nouveau : { $added }, stocké : { $stored }, durée : { $duration }
backup-accepted = { $n ->
    [one] Instantané { $ids } accepté
   *[other] Instantanés { $ids } acceptés
}
backup-rechecked = { $n ->
    [one] { $n } fichier inchangé relu
   *[other] { $n } fichiers inchangés relus
}
backup-pinned = { $n ->
    [one] L'instantané { $ids } est épinglé : il contient la bonne version
   *[other] Les instantanés { $ids } sont épinglés : ils contiennent les bonnes versions
}
backup-list-empty = Aucun chemin dans { $file }
backup-stdin-terminal = Rien n'arrive par un tube : `COMMANDE | cryptbackup backup --stdin NOM`, ou `cryptbackup backup --stdin NOM -- COMMANDE`
backup-protected = Protégé sur { $copies } de { $n } { $n ->
    [one] destination
   *[other] destinations
}
backup-saved = sauvegardé, { $n } { $n ->
    [one] paquet écrit
   *[other] paquets écrits
}
backup-saved-and-copied = sauvegardé, { $n } { $n ->
    [one] paquet écrit
   *[other] paquets écrits
}, { $copied } { $copied ->
    [one] copié
   *[other] copiés
}
backup-not-saved = pas sauvegardé
backup-not-cleaned = le backup est terminé, mais le nettoyage qui suit a échoué : { $why }

smart-on = Mode intelligent activé - Priorisation des fichiers...
smart-sorted = { $n } { $n ->
    [one] fichier analysé et trié
   *[other] fichiers analysés et triés
} ({ $size })
smart-first = Top { $n } fichiers prioritaires :
column-score = Score
column-recency = Récence
column-kind = Genre
column-changes = Changements
column-file = Fichier

## Statut

status-sources = Sources :
status-no-source = Aucune source configurée : cryptbackup add DOSSIER
status-no-destination = Destination manquante : cryptbackup config set destinations.primary DOSSIER
status-standing = Où elles en sont :
status-space = Place à récupérer :
status-backups = Backups :
status-last-backup = Dernier backup
status-files = Fichiers sauvegardés
status-snapshots = Instantanés
status-going = À nettoyer
status-going-none = aucun
status-going-some = { $n } { $n ->
    [one] instantané
   *[other] instantanés
} selon les règles : cryptbackup clean
status-full-copies = En copies complètes
status-stored = Espace utilisé
status-saved = Espace économisé
status-saved-deduplication = par les doublons
status-saved-compression = par la compression
standing-last = dernier backup { $ago }
standing-no-snapshot = rien n'y est encore complet
standing-does-not-grow = ne grandit pas
standing-lasts = de la place pour { $span } à ce rythme
standing-proven = { $percent } % prouvés dans les { $days } derniers jours, la dernière fois { $ago }
standing-never-proven = jamais essayée : cryptbackup drill
span-hours = moins d'un jour
span-days = environ { $n } { $n ->
    [one] jour
   *[other] jours
}
span-months = environ { $n } mois
span-years = environ { $n } { $n ->
    [one] an
   *[other] ans
}
span-long = plus de { $n } ans
status-reclaimable = environ { $size } au dernier passage : cryptbackup clean
status-suspect = depuis l'instantané { $id } ({ $when }), { $why } ; rien n'en est nettoyé
status-suspect-hint = regardez les fichiers ; si tout est comme il faut, exécutez `cryptbackup backup --accept-changes`
status-overdue = { $path } n'a pas de backup complet depuis plus longtemps que prévu (`status.warn_days`) ; le dernier : { $last }
status-never = { $path } n'a jamais eu de backup complet (dit tant que `status.warn_days` n'est pas 0)
status-few-destinations = min_copies demande plus de copies ({ $n }) que de destinations configurées
status-lone-key = il n'y a pas d'autre clé que celle de config.yaml sur ce disque : gardez une copie de ce fichier en lieu sûr
source-last = dernier backup { $ago }
source-never = pas encore sauvegardé
source-unread = pas lue par le dernier backup qui l'a essayé
source-problems = avec { $n } { $n ->
    [one] problème
   *[other] problèmes
}
source-good = sans problème { $ago }

## Listes

list-heading = Historique de : { $path }
list-newest = les { $shown } plus récentes sur { $all }
column-version = Version
column-first-seen = Première vue
column-last-seen = Dernière vue
column-size = Taille
column-modified = Modifiée
column-snapshot = Instantané
column-time = Date
column-machine = Machine
column-files = Fichiers
column-destinations = Destinations
column-pin = Épinglé
column-tags = Étiquettes
column-note = Note
column-sources = Sources
version-deleted = supprimé après celle-ci
version-current = actuelle
version-in-history = seulement dans l'historique
snapshots-none = Il n'y a pas encore d'instantanés.
root-not-read = { $path } (pas lue)
snapshot-pinned = épinglé
snapshot-partial = partiel
snapshot-chosen = fichiers choisis
ls-version = version { $number }

## Restauration

restore-what = Spécifiez --file, --directory, --snapshot ou --list
restore-chosen = Choisi : { $what }
restore-note = Remarque : { $note }
restore-dry-run = MODE DRY-RUN (simulation uniquement), { $n } { $n ->
    [one] fichier serait restauré
   *[other] fichiers seraient restaurés
}, { $size }, vers { $target }
restore-would-delete = Serait supprimé : { $path }
restore-would-delete-all = { $n ->
    [one] { $n } entrée serait supprimée
   *[other] { $n } entrées seraient supprimées
} en tout
restore-begins = Restauration de { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, { $size }, vers { $target }
restored-file = { $n ->
    [0] Aucun fichier n'a été restauré :
   *[other] Fichier restauré avec succès !
} { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, taille : { $size }, durée : { $duration }
restored-folder = Dossier restauré ! { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, taille totale : { $size }, durée : { $duration }
restore-skipped = Laissés tels quels : { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, { $size }
restore-sockets = Laissés de côté : { $n } { $n ->
    [one] socket
   *[other] sockets
} ; les programmes qui y écoutent les refont
restore-deleted = Supprimé : { $n } { $n ->
    [one] entrée
   *[other] entrées
}
restore-verified = Vérifié : ce qui est là maintenant a été relu et est bien ce qui avait été sauvegardé
file-deleted = supprimé
restored-snapshot = Instantané restauré ! { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, taille totale : { $size }, durée : { $duration }

## Nettoyage

stays-newest = le plus récent de { $path }
stays-last-of-writer = le dernier que sa machine a fait de { $path }
stays-nothing-newer = rien n'est plus récent
stays-future = plus tard que l'horloge
stays-pinned = épinglé
stays-suspect = un backup de { $path } paraît suspect
stays-young = moins de { $n } { $n ->
    [one] jour
   *[other] jours
}
stays-last = parmi les { $n } plus récents
stays-hourly = le plus récent de son heure
stays-daily = le plus récent de son jour
stays-weekly = le plus récent de sa semaine
stays-monthly = le plus récent de son mois
stays-yearly = le plus récent de son année
clean-dry-run = MODE DRY-RUN (simulation uniquement), rien n'a été supprimé
clean-stays = reste : { $reasons }
clean-goes = part
clean-count = { $staying } { $staying ->
    [one] instantané reste
   *[other] instantanés restent
}, { $going } { $going ->
    [one] supprimé
   *[other] supprimés
}
clean-count-dry-run = { $staying } { $staying ->
    [one] instantané reste
   *[other] instantanés restent
}, { $going } { $going ->
    [one] part
   *[other] partent
}
clean-history = Historique : { $kept } { $kept ->
    [one] version conservée
   *[other] versions conservées
}, { $dropped } { $dropped ->
    [one] version supprimée
   *[other] versions supprimées
}
clean-history-dry-run = Historique : { $kept } { $kept ->
    [one] version conservée
   *[other] versions conservées
}, { $dropped } { $dropped ->
    [one] version serait supprimée
   *[other] versions seraient supprimées
}
clean-snapshots = { $n } { $n ->
    [one] instantané ou historique
   *[other] instantanés et historiques
}
clean-packs-anew = { $n } { $n ->
    [one] paquet
   *[other] paquets
} ({ $anew } { $anew ->
    [one] réécrit
   *[other] réécrits
})
clean-packs-anew-dry-run = { $n } { $n ->
    [one] paquet
   *[other] paquets
} ({ $anew } à réécrire)
clean-deleted = supprimé : { $what }
clean-to-delete = serait supprimé : { $what }
clean-nothing = rien à faire
clean-freed = { $size } récupérés
clean-would-free = environ { $size } seraient récupérés
clean-waits = { $size } seront récupérés par le premier `clean` après le { $when }, car d'autres machines s'en servent aussi
clean-would-wait = environ { $size } seraient récupérés après le délai de grâce, car d'autres machines s'en servent aussi
clean-future = { $n ->
    [one] L'instantané { $ids } est plus tard que l'horloge de cette machine : aucune règle ne le compte
   *[other] Les instantanés { $ids } sont plus tard que l'horloge de cette machine : aucune règle ne les compte
}
clean-future-hint = regardez l'horloge ; `cryptbackup forget INSTANTANÉ` retire ce qu'une horloge fausse a fait
clean-refused = refusé sans --force : { $why }
clean-held = pas nettoyé sans --force : { $why }
clean-held-unattended = pas nettoyé : { $why }
clean-held-hint = `cryptbackup clean --dry-run` montre ce qui partirait ; `cryptbackup clean` le fait
clean-failed = { $name } n'a pas pu être nettoyée{ $why }
clean-failed-hint = elle garde ce qu'elle a ; le prochain `cryptbackup clean` qui peut s'en servir la nettoiera
clean-went = { $n } { $n ->
    [one] instantané supprimé
   *[other] instantanés supprimés
}
clean-after-backup = Nettoyé : { $what }

## Recherche de dommages

check-hint-elsewhere = `cryptbackup check --heal`, avec --read-data si des données sont endommagées, le réécrit depuis là où il est intact
check-hint-plug-in = branchez les destinations qui n'étaient pas là et relancez la commande ; le prochain `cryptbackup backup` stocke de nouveau ce qui est perdu et encore dans les sources
check-hint-nowhere-else = il n'y a pas d'autre destination où le prendre ; le prochain `cryptbackup backup` stocke de nouveau ce qui manque, et `cryptbackup config set destinations.NOM DOSSIER` ajoute une deuxième destination
check-not-checked = [{ $name }] n'a pas été contrôlée : { $why }
check-not-read = Leurs données n'ont pas été lues ; --read-data le fait. Contrôlé en { $duration }.
check-read = { $n } { $n ->
    [one] paquet lu
   *[other] paquets lus
}, { $size }. Contrôlé en { $duration }.
check-damaged = { $n } { $n ->
    [one] objet endommagé trouvé.
   *[other] objets endommagés trouvés.
}
check-all-healed = Tout a été réparé.
check-left = { $n ->
    [one] Il reste { $n } objet endommagé.
   *[other] Il reste { $n } objets endommagés.
}
check-nothing-wrong = rien à signaler
check-findings = { $n } { $n ->
    [one] constat
   *[other] constats
}
no-damage = Aucun dommage trouvé.
finding = { $word } : { $what }
finding-affects = { $what } ; concerne { $ids }
finding-damage = dommage
finding-healed = réparé
finding-left = reste
finding-notice = avis
finding-on = { $object } sur [{ $name }] : { $what }
scrub-finding = { $object } : { $what }
scrub-read = { $n } { $n ->
    [one] fichier lu
   *[other] fichiers lus
}, { $size }, en { $duration }.
scrub-hint = exécutez `cryptbackup check --read-data --heal` là où le dépôt est en place ; il prend ce qui est endommagé dans une autre destination

## Exercices de restauration

drill-budget-not-one = un budget est une taille d'au moins { $least }, comme 500MB, ou une durée comme 30s, 5min ou 2h
drill-nothing = [{ $name }] rien n'y est encore sauvegardé
drill-parts = { $n } { $n ->
    [one] partie d'un gros fichier
   *[other] parties de gros fichiers
}
drill-restored = [{ $name }] restauré : { $what }, { $size }, lus comme { $read }, { $findings }
drill-compared = { $n } { $n ->
    [one] comparé au fichier lui-même
   *[other] comparés aux fichiers eux-mêmes
}
drill-proven = { $restored } ; { $compared } ; { $percent } % de cette destination sont prouvés maintenant
drill-not-drilled = [{ $name }] n'a pas été essayée : { $why }
drill-finding = { $object } depuis [{ $name }] : { $what }
finding-metadata = métadonnées
finding-not-restored = pas restauré
finding-source-differs = changé sans trace
drill-hint-damaged = `cryptbackup check --read-data --heal` réécrit ce qui est endommagé depuis là où il est intact
drill-hint-source-differs = le backup a le fichier tel qu'il était : `cryptbackup restore --file FICHIER --destination AILLEURS`, puis comparez les deux ; le disque ou la mémoire de cette machine est peut-être en train de lâcher
drill-hint-not-restored = regardez le disque où est le dossier d'état : cela ne dit rien de la destination

## Autres commandes

purge-dry-run = MODE DRY-RUN (simulation uniquement), rien n'a été écrit : { $path } serait retiré de { $found }
purge-done = { $path } a été retiré de { $found }. Sa place est rendue par `cryptbackup clean`.
purge-failed = [{ $name }] l'a encore : { $why }
purge-failed-hint = `cryptbackup sync` y apporte les nouveaux instantanés, puis `cryptbackup clean` supprime les anciens
purge-in-source = il se trouve dans une source : s'il y est encore, le prochain backup le stocke de nouveau
purge-in-source-hint = supprimez-le, ou excluez-le avec `cryptbackup exclude MOTIFS`
sync-copied = copié : { $what }, { $size }
sync-up-to-date = à jour
index-rebuilt = L'index est refait à partir de { $names } : { $snapshots }, { $packs }, { $chunks }
index-kept = L'ancien est gardé dans { $path }
fact-version = Programme
fact-format-version = Format
fact-os = Système
fact-kernel = Noyau
fact-architecture = Architecture
fact-cores = Cœurs
fact-memory = Mémoire
fact-cpu-features = Capacités du processeur
fact-time-zone = Fuseau horaire
fact-home = Dossier d'état
fact-config = Configuration
fact-initialised = Initialisé
fact-mode = ses permissions
fact-true = oui
fact-false = non

du-depth = --depth vaut pour les dossiers : enlevez-le, ou donnez `--by folder`
du-no-type = sans extension
du-several = dans plusieurs instantanés
column-needed = Demande
column-alone = Ici seulement
man-unknown = Commande inconnue : `{ $command }`
man-written = { $n } { $n ->
    [one] page de manuel écrite
   *[other] pages de manuel écrites
} dans { $folder }

## Regarder dans les backups

find-nothing = Rien n'a été trouvé
find-folder = dossier
find-version = version { $number }
find-modified = modifié le { $when }
find-seen = vu du { $first } au { $last }
find-snapshot = instantané { $id }
dump-json = La sortie standard est pour ce qui est extrait ; donnez --output FICHIER avec --json
dump-done = { $n } { $n ->
    [one] fichier
   *[other] fichiers
}, { $size }, dans { $path }
dump-terminal = Une archive n'est pas pour un terminal : envoyez-la dans un fichier ou un tube, ou donnez --output FICHIER
verb-write = écrire
diff-sizes = de { $before } à { $after }
diff-added = { $n } { $n ->
    [one] ajouté
   *[other] ajoutés
} ({ $size })
diff-removed = { $n } { $n ->
    [one] supprimé
   *[other] supprimés
} ({ $size })
diff-changed = { $n } { $n ->
    [one] modifié
   *[other] modifiés
}
diff-metadata = { $n } avec d'autres métadonnées
diff-unseen = { $n } { $n ->
    [one] fichier a
   *[other] fichiers ont
} un autre contenu alors que taille et date sont les mêmes : un disque a pu le changer, ou un programme qui cache ses traces

## watch

watch-foreground = La commande reste au premier plan ; un gestionnaire de services comme systemd la met en arrière-plan.
watch-starting = Démarrage de la surveillance automatique...
watch-began = Surveillance active
watch-sources = { $n } { $n ->
    [one] source
   *[other] sources
}, surveillant { $folders } { $folders ->
    [one] dossier
   *[other] dossiers
}
watch-interval = Backup automatique au plus toutes les { $n } { $n ->
    [one] seconde
   *[other] secondes
}
watch-how-to-stop = Appuyez sur Ctrl+C pour arrêter
watch-unwatched = { $path } n'est pas surveillé mais relu à chaque intervalle : { $why }
watch-missed = { $when }  Tout est relu : { $why }
watch-changed = modifié : { $path }
watch-went = { $when }  [{ $name }] n'est plus là
watch-came = { $when }  [{ $name }] est là
watch-saved = { $when }  Instantané { $snapshot } : nouveaux : { $new }, modifiés : { $changed }, écrit : { $stored }, en { $duration }, sur { $destinations }
watch-same = { $when }  Rien n'a changé
watch-caught-up = { $when }  [{ $name }] a rattrapé { $snapshots }
watch-cleaning-failed = le nettoyage a échoué : { $why }
watch-tried-again = { $what } ; un nouvel essai suivra
watch-ended = Surveillance arrêtée
watch-statistics = Statistiques :
watch-total-time = Durée de la surveillance : { $duration }
watch-total-changes = Changements remarqués : { $n }
watch-total-backups = Backups : { $n }, dont { $whole } de tout
watch-total-snapshots = Instantanés : { $n }
watch-total-files = Fichiers sauvegardés : { $n }
watch-total-read = Données lues : { $size }
watch-total-stored = Données écrites : { $size }
watch-total-caught-up = Instantanés rattrapés : { $n }
watch-total-failures = Échecs : { $n }
watch-total-problems = Problèmes : { $n }

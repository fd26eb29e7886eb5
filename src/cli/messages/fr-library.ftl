### Ce que dit la bibliothèque, en français ; `en-library.ftl` a les mêmes phrases telles qu'elle les dit.

## Le système

said-no-such-file-or-directory-os = Aucun fichier ou dossier de ce nom (os error 2)
said-operation-not-permitted-os-error-1 = Opération non permise (os error 1)
said-input-output-error-os-error-5 = Erreur d'entrée/sortie (os error 5)
said-permission-denied-os-error-13 = Permission refusée (os error 13)
said-file-exists-os-error-17 = Le fichier existe (os error 17)
said-not-a-directory-os-error-20 = N'est pas un dossier (os error 20)
said-is-a-directory-os-error-21 = Est un dossier (os error 21)
said-no-space-left-on-device-os = Aucun espace disponible sur le périphérique (os error 28)
said-read-only-file-system-os-error = Système de fichiers accessible en lecture seulement (os error 30)
said-directory-not-empty-os-error-39 = Le dossier n'est pas vide (os error 39)
said-stale-file-handle-os-error-116 = Identificateur de fichier périmé (os error 116)
said-connection-timed-out-os-error-110 = Connexion terminée par expiration du délai d'attente (os error 110)
said-disk-quota-exceeded-os-error-122 = Débordement du quota d'espace disque (os error 122)

## Verbes, après « impossible de »

said-clean-up = nettoyer
said-create = créer
said-create-a-folder-in = créer un dossier dans
said-delete = supprimer
said-list = lister
said-lock = verrouiller
said-look-at = consulter
said-move-aside = mettre de côté
said-open = ouvrir
said-read = lire
said-replace = remplacer
said-restore-to = restaurer vers
said-sync = synchroniser
said-write = écrire
said-open-the-destination = ouvrir la destination
said-create-the-destination = créer la destination
said-find-the-destination = trouver la destination
said-sync-the-file-system = synchroniser le système de fichiers
said-measure-the-free-space = mesurer l'espace libre
said-make-the-folder = créer le dossier { $name }
said-sync-the-folder = synchroniser le dossier { $name }
said-delete-2 = supprimer { $name }
said-list-2 = lister { $name }
said-open-2 = ouvrir { $name }
said-read-2 = lire { $name }
said-replace-2 = remplacer { $name }
said-write-2 = écrire { $name }
said-remember-snapshot = retenir l'instantané { $id }
said-what-was-dumped = ce qui a été extrait

## En général

said-list-of-sentences = { $why } ; { $also }
said-list-of-parts = { $what }, { $also }
said-interrupted = interrompu
said-cannot = impossible de { $what } { $name } : { $why }
said-cannot-on = impossible de { $what } sur { $name } : { $why }
said-not-found = introuvable : { $what }
said-on-is-damaged = { $name } sur { $place } est endommagé : { $why }
said-is-damaged-on = { $name } est endommagé sur { $place } : { $why }
said-another-machine-cleaned-a-destination-meanwhile = Entre-temps une autre machine a nettoyé une destination, et ce sur quoi cette exécution comptait n'est plus là
said-damaged-packs-were-met = des paquets endommagés ont été rencontrés, auxquels rien ne doit se fier
said-the-run-is-repeated = { $why } ; l'exécution est répétée.
said-another-writer-deleted-what-the-snapshot = une autre machine a supprimé ce dont l'instantané a besoin
said-try-again = { $why } ; réessayez

## Mise en place

said-a-configuration-without-the-state-that = une configuration sans l'état qui va avec
said-the-sqlite-database-of-an-earlier = la base SQLite d'un programme antérieur
said-cryptbackup-home-is-it-must-be = CRYPTBACKUP_HOME est `{ $path }` : ce doit être un chemin absolu
said-there-is-no-home-folder-set = il n'y a pas de dossier personnel ; donnez le dossier d'état à CRYPTBACKUP_HOME
said-this-state-folder-has-no-writer = ce dossier d'état n'a pas d'écrivain
said-encryption-key-is-not-a-key = `encryption.key` n'est pas une clé de ce programme (44 caractères de base64)
said-it-cannot-be-written-2 = elle ne peut pas être écrite
said-these-are-not-24-valid-recovery = ce ne sont pas 24 mots de secours valides ; cherchez un mot mal recopié
said-config-yaml-holds-no-key-give = config.yaml ne contient pas de clé ; donnez la phrase secrète (--passphrase-file, CRYPTBACKUP_PASSPHRASE, ou dans un terminal quand elle est demandée)
said-there-is-no-readable-key-slot = il n'y a pas d'emplacement de clé lisible dans { $path }
said-the-key-of-config-yaml-does = la clé de config.yaml n'ouvre pas le dépôt dans { $path }
said-the-passphrase-does-not-open-the = la phrase secrète n'ouvre pas le dépôt dans { $path }
said-the-recovery-words-do-not-open = les mots de secours n'ouvrent pas le dépôt dans { $path }
said-the-key-file-does-not-open = le fichier-clé n'ouvre pas le dépôt dans { $path }
said-this-key-was-removed-from-the = cette clé a été retirée du dépôt dans { $path }, et ne l'ouvre plus
said-none-of-the-key-slots-opens = aucun des { $tried } emplacements de clé essayés, sur { $count } dans { $path }, ne s'ouvre ainsi : quelqu'un a pu les y mettre ; utilisez une autre destination, ou supprimez de son dossier `keys` les fichiers qui ne sont pas une de vos clés
said-there-are-so-many-keys-already = il y a déjà { $count } clés ; retirez-en d'abord une, avec `cryptbackup key remove`
said-it-opens-the-repository-already-it = elle ouvre déjà le dépôt : c'est la clé { $id }
said-it-is-the-only-key-without = c'est la seule clé : sans elle personne ne pourrait ouvrir le dépôt ; ajoutez-en d'abord une autre
said-it-is-the-key-that-opens = c'est la clé qui ouvre le dépôt en ce moment : pour la retirer, ouvrez le dépôt avec une autre
said-is-not-a-key-give-the = `{ $text }` n'est pas une clé : donnez les premiers chiffres de son identifiant
said-several-keys-begin-with = plusieurs clés commencent par `{ $text }` ; donnez plus de chiffres
said-key = la clé `{ $text }`
said-the-system-could-not-provide = le système n'a pas pu fournir { $name }

## La configuration

said-it-cannot-be-understood-look-at = incompréhensible ; regardez l'indentation, les guillemets et le `: ` après chaque clé
said-it-cannot-have-this-value = elle ne peut pas avoir cette valeur
said-there-is-no-such-key-there = Clé non trouvée ; il y a : { $list }
said-there-is-no-such-key-in = Clé non trouvée ; dans cette section il y a : { $list }
said-sources-are-changed-with-add-and = les sources se changent avec `add` et `remove`
said-the-size-of-packs-is-chosen = la taille des paquets est choisie par `init --pack-size` et vaut pour toute la vie du dépôt
said-is-written-by-the-program-and = est écrit par le programme et ne peut pas être changé
said-is-not-set = n'est pas défini
said-there-is-no-destination = il n'y a pas de destination `{ $name }`
said-there-is-no-destination-of-that = il n'y a pas de destination de ce nom
said-there-is-no-destination-called = il n'y a pas de destination nommée `{ $name }`
said-is-not-true-or-false = `{ $text }` n'est ni true ni false
said-is-not-a-whole-number-from = `{ $text }` n'est pas un nombre entier à partir de { $least }
said-is-too-large = { $text } est trop grand
said-is-not-a-share-from-1 = `{ $text }` n'est pas une part de 1 à 100 pour cent
said-is-not-a-level-from-1 = `{ $text }` n'est pas un niveau de 1 (rapide) à 22 (max compression), ni off
said-is-not-a-number = `{ $text }` n'est pas un nombre
said-is-not-between-0-and-10 = `{ $text }` n'est pas entre 0 et 10
said-is-not-known-data-are-sealed = `{ $text }` n'est pas connu ; les données sont chiffrées avec { $name }
said-is-not-known-blocks-are-zstd = `{ $text }` n'est pas connu ; les blocs sont compressés avec zstd
said-is-not-a-size-such-as = `{ $text }` n'est pas une taille comme 96MiB ou 1.5GB
said-must-be-at-least = doit être au moins { $least }
said-must-be-at-least-1-second = doit être d'au moins 1 seconde
said-must-be-from-to-in-steps = doit être de { $least } à { $most }, par pas de { $step }
said-must-be-more-than-nothing-unset = doit être plus que rien ; retirez la clé pour ne pas avoir de limite
said-is-not-a-name-1-to = `{ $name }` n'est pas un nom : 1 à 32 lettres, chiffres, `-` et `_`
said-the-path-is-empty = le chemin est vide
said-is-a-relative-path = `{ $path }` est un chemin relatif ; écrivez-le en entier
said-has-in-it-write-the-path = `{ $path }` contient `..` ; écrivez le chemin sans
said-is-there-twice-take-one-of = `{ $path }` y est deux fois ; retirez l'une des deux
said-is-not-a-key-32-bytes = n'est pas une clé : 32 octets en base64
said-it-is-not-a-file = ce n'est pas un fichier
said-it-is-too-long-to-be = c'est trop long pour une configuration
said-is-not-a-version = `{ $text }` n'est pas une version
said-layout-needs-a-newer-program = la version { $text } demande un programme plus récent

## Destinations

said-does-not-exist-is-the-disk = { $path } n'existe pas : le disque est-il branché, le partage monté ?
said-to-begin-anew-with-what-is = { $why } ; pour recommencer avec ce qui s'y trouve, exécutez `cryptbackup config set { $set }`
said-is-not-a-destination-is-the = { $path } n'est pas une destination : le disque est-il branché, le partage monté ?
said-is-another-destination-of-this-repository = { $path } est une autre destination de ce dépôt
said-belongs-to-another-repository = { $path } appartient à un autre dépôt, { $id }
said-on-cannot-be-used = { $name } sur { $path } est inutilisable : { $why }
said-cannot-be-opened = { $path } ne peut pas être ouvert : { $why }
said-is-not-there = { $path } n'est pas là
said-the-folder-above-does-not-exist = le dossier au-dessus de { $path } n'existe pas : le disque est-il branché, le partage monté ?
said-is-not-a-folder = { $path } n'est pas un dossier
said-is-a-destination-already = { $path } est déjà une destination
said-cannot-become-a-destination-is-in = { $path } ne peut pas devenir une destination : { $name } y est déjà
said-it-holds-another-repository = elle contient un autre dépôt
said-it-names-another-repository-than-dest = elle nomme un autre dépôt que dest.id
said-it-is-a-copy-of-another = c'est une copie d'une autre destination ; ajoutez-la de nouveau sous son nom
said-is-the-destination-already = { $path } est déjà la destination `{ $name }`
said-is-the-destination-also-at = { $path } est déjà la destination `{ $name }`, qui est aussi à { $other }
said-is-the-destination-or-a-copy = { $path } est la destination `{ $name }`, ou une copie de celle-ci, et rien d'elle n'est à { $other } en ce moment : si elle est là désormais, lancez `cryptbackup config set { $set }` ; si c'est une copie, branchez aussi `{ $name }` et relancez cette commande
said-the-source-lies-in-it-choose = la source { $path } s'y trouve ; choisissez un dossier à part
said-it-lies-in-choose-a-folder = il se trouve dans { $what }, { $path } ; choisissez un dossier à part
said-lies-in-it-choose-a-folder = { $what }, { $path }, s'y trouve ; choisissez un dossier à part
said-the-destination = la destination `{ $name }`
said-the-state-folder = le dossier d'état
said-a-folder-that-belongs-to-the = un dossier de la destination manque
said-the-folder-is-no-longer-where = le dossier n'est plus là où il était
said-its-path-no-longer-leads-to = son chemin ne mène plus au dossier qui avait été ouvert
said-dest-id-is-no-longer-what = dest.id n'est plus ce qu'il était à l'ouverture
said-dest-id-cannot-be-read = dest.id ne peut pas être lu : { $why }
said-it-accepted-nothing-for-seconds = elle n'a rien accepté pendant { $n } secondes
said-it-is-slower-than-the-others = elle est plus lente que les autres et rattrape ensuite
said-interrupted-while-it-caught-up = interrompue pendant qu'elle rattrapait
said-it-lacks-some-of-what-the = il lui manque une partie de ce dont l'instantané a besoin
said-snapshot-is-not-whole-within-reach = l'instantané { $id } n'est pas entier à portée : { $why }
said-it-was-written-and-does-not = il a été écrit et n'apparaît pas dans la liste de son dossier
said-it-shows-less-than-on-it = elle montre moins que le { $when } : il manque { $what }
said-snapshot = { $n } instantané ({ $ids })
said-snapshots = { $n } instantanés ({ $ids })
said-snapshot-2 = { $n } instantané ({ $ids }), { $also }
said-snapshots-2 = { $n } instantanés ({ $ids }), { $also }
said-pack = { $n } paquet
said-packs = { $n } paquets
said-decision-about-snapshots = { $n } décision sur des instantanés
said-decisions-about-snapshots = { $n } décisions sur des instantanés
said-other-snapshots-have-the-numbers-of = d'autres instantanés ont les numéros de ceux vus avant ({ $ids })
said-cryptbackup-sync-brings-back-what = { $why } ; `cryptbackup sync` rapporte ce que d'autres destinations ont, et si c'est voulu (un disque restauré d'une image), `cryptbackup destination accept { $name }` la prend telle quelle
said-packs-on-it-are-damaged = des paquets y sont endommagés : { $n } ; `cryptbackup check --heal` répare ce qui peut l'être
said-snapshots-on-need-what-is-not = Des instantanés sur [{ $name }] ont besoin de ce qui n'est ni là, ni sur une autre destination à portée ; `cryptbackup check` nomme les fichiers.
said-it-has-later-snapshots-and-lacks = elle a des instantanés plus récents et il lui en manque { $n } que d'autres destinations ont ({ $ids }) : elle était en train d'être mise à jour, ou quelqu'un les a supprimés
said-holds-another-repository-choose-another-folder = { $path } contient un autre dépôt ({ $id }) ; choisissez un autre dossier, ou utilisez `connect` pour travailler avec celui-là
said-dest-id-cannot-be-read-and = `dest.id` ne peut pas être lu, et cette machine ne l'a jamais vu : une autre le connaît peut-être
said-it-is-not-a-regular-file = ce n'est pas un fichier ordinaire
said-the-range-ends-before-it-starts = la plage finit avant de commencer
said-bytes-are-more-than-the-that = { $n } octets sont plus que les { $most } possibles
said-bytes-were-written-but-the-file = { $n } octets ont été écrits, mais le fichier en a { $other }
said-what-was-put-there-last-may = { $why } ; ce qui y a été mis en dernier peut être perdu si le courant est coupé : { $also }
said-it-is-not-in-the-index = il n'est pas dans l'index
said-would-be-larger-than-any-object = { $name } serait plus grand qu'aucun objet ne peut l'être
said-it-was-deleted-while-it-was = il a été supprimé pendant qu'il était comparé
said-something-that-is-not-a-file = quelque chose qui n'est pas un fichier a son nom
said-the-record-is-malformed = l'enregistrement { $name } est mal formé : { $text }
said-the-is-outside-the-allowed-range = { $name } est hors des limites permises
said-is-damaged-what-is-left = [{ $name }] est endommagée ({ $why }) : ce qui en reste est lu. `cryptbackup check --heal` la remet en état.
said-folders-were-missing = Des dossiers manquaient sur { $place } et ont été créés : { $n }. Les programmes de copie omettent parfois les dossiers vides ; `cryptbackup check` dit si quelque chose est perdu.
said-is-damaged-the-keys-tell = { $what }. Les clés disent ce que c'est, et il est réécrit.
said-other-computers-have-to-accept = Les autres ordinateurs qui connaissent cette destination doivent exécuter `cryptbackup destination accept` avec son nom.
said-neither-what-says-what-it-is = ni ce qui dit ce que c'est ni un trousseau de clés n'est lisible
said-shows-everything-again = [{ $name }] montre de nouveau tout.
said- = [{ $name }] : { $why }.
said-what-was-seen-on-before-is = Ce qui avait été vu sur [{ $name }] n'est plus connu ici ; c'est appris de nouveau.
said-how-fast-destinations-fill-could-not = La vitesse à laquelle les destinations se remplissent n'a pas pu être notée : { $error }.

## L'index

said-the-index-was-missing-and-is = L'index manquait et est refait à partir des destinations accessibles.
said-the-index-could-not-be-used = L'index était inutilisable ({ $why }) ; il a été déplacé vers { $path } et est refait à partir des destinations accessibles.
said-there-is-no-index-yet = il n'y a pas encore d'index
said-another-command-is-writing-to-the = une autre commande écrit dans l'index
said-there-is-no-room-on-the-disk = il n'y a plus de place sur le disque où il se trouve
said-the-disk-with-the-state-folder = Le disque du dossier d'état est plein : ce qui est arrivé récemment sur les destinations n'est pas connu.
said-the-index-cannot-be-used = l'index est inutilisable : { $why }
said-it-belongs-to-another-repository = il appartient à un autre dépôt
said-it-has-the-layout-of-another = il a le format d'une autre version de ce programme
said-it-is-damaged = il est endommagé
said-this-index-already-knows-64-destinations = cet index connaît déjà 64 destinations ; oubliez-en et exécutez `cryptbackup rebuild-index`
said-a-chunk-is-on-no-destination = un morceau n'est sur aucune destination accessible
said-snapshot-could-not-be-read-whole = L'instantané { $id } n'a pas pu être lu en entier : { $why }.

## Backups

said-no-source-is-configured-add-one = Aucune source configurée ; ajoutez-en une avec `cryptbackup add DOSSIER`
said-no-source-could-be-read = Aucune source n'a pu être lue : { $why }
said-the-list-has-nothing = la liste de fichiers ne contient rien de ces sources
said-is-in-the-list-and-in-no = { $path } est dans la liste de fichiers et dans aucune source ; ajoutez son dossier avec `cryptbackup add DOSSIER`
said-is-in-the-list-and-not-asked-for = { $path } est dans la liste de fichiers et dans aucune des sources demandées
said-it-is-in-the-list-and-left-out = il est dans la liste de fichiers et a été laissé de côté, par une règle ou parce qu'il est derrière un lien
said-it-is-in-the-list = il est dans la liste de fichiers et n'existe pas
said-is-no-folder-stores-it = { $path } n'est pas un dossier ; `cryptbackup backup --stdin { $name }` l'enregistre
said-its-content-is-another-one = son contenu a changé sans que personne l'écrive ; la bonne version est la { $n }
said-it-holds-what-rotted = il contient ce qui s'est abîmé depuis dans une source
said-is-no-name-of-a-file = { $path } n'est pas un nom de fichier
said-is-a-source-already = { $path } est déjà une source ; choisissez un autre nom
said-another-machine-cleaned-here = une autre machine a nettoyé ici pendant l'examen ; relancez `cryptbackup check`
said-what-was-read-again-is-not = Ce qui a été relu n'est pas retenu : { $why }.
said-is-no-source = Ce n'est pas une source : { $path }
said-a-smart-backup-reads = un backup intelligent lit tout ce qui a changé, et rien d'autre
said-the-end-of-the-stream = la fin du flux n'a pas été vue
said-partial-snapshot = instantané partiel { $id } : il contient { $done } sur { $all } MB
said-the-source-does-not-exist = Source introuvable : { $path }
said-the-source-cannot-be-read = la source { $path } ne peut pas être lue
said-the-source-is-a-folder-in = la source { $path } est un dossier où ce programme garde des backups ou son propre état
said-the-exclude-is-not-a-valid = l'exclusion `{ $pattern }` n'est pas un motif valide : { $why }
said-there-is-nothing-after-the = il n'y a rien après le `!`
said-it-is-too-long = c'est trop long
said-it-cannot-be-read = il ne peut pas être lu : { $why }
said-it-cannot-be-opened = il ne peut pas être ouvert : { $why }
said-it-cannot-be-looked-at = il ne peut pas être consulté : { $why }
said-the-folder-cannot-be-listed = le dossier ne peut pas être listé : { $why }
said-its-extended-attributes-cannot-be-read = ses attributs étendus ne peuvent pas être lus : { $why }
said-it-is-gone = il a disparu
said-it-is-not-a-file-any = ce n'est plus un fichier
said-it-was-replaced-by-another-file = il a été remplacé par un autre fichier
said-another-name-of-the-same-file = un autre nom du même fichier n'a pas pu être lu
said-it-changed-while-it-was-read = il a changé pendant la lecture ; ce qui a été lu est stocké, et il sera relu la prochaine fois
said-on-was-damaged-and-has-been = { $name } sur { $place } était endommagé et a été réparé.
said-could-not-be-completed = { $name } n'a pas pu être complétée : { $why }.
said-read-from-instead = { $why } ; lu depuis { $name } à la place
said-on-does-not-match-its-name = { $name } sur { $place } ne correspond pas à son nom
said-a-block-does-not-hold-the = un bloc ne contient pas le morceau qu'il devrait
said-is-not-a-configured-source-these = Source non configurée : { $path } ; il y a : { $list }
said-the-source-is-a-link-now = la source { $path } était un dossier dans le dernier instantané et est maintenant un lien vers { $target }, qui n'est pas suivi : est-ce le dossier à sauvegarder ? Si c'est vraiment un lien maintenant, exécutez une fois `cryptbackup backup --force`
said-the-source-is-no-folder-now = la source { $path } était un dossier dans le dernier instantané et n'en est plus un : a-t-il été déplacé ? S'il n'en est vraiment plus un, exécutez une fois `cryptbackup backup --force`
said-the-source-is-suddenly-empty-while = la source { $path } est soudain vide, alors que le dernier instantané y a des fichiers : son disque est-il monté ? Si elle est vraiment vide maintenant, exécutez une fois `cryptbackup backup --force`
said-extended-attributes-cannot-be-read = des attributs étendus ne peuvent pas être lus : { $list }
said-it-is-not-utf-8 = ce n'est pas en UTF-8
said-line-is-not-a-pattern-and = la ligne { $n } n'est pas un motif et n'a pas été appliquée : { $why }
said-its-patterns-were-not-applied = ses motifs n'ont pas été appliqués : { $why }
said-the-range-is-upside-down = la plage { $first }-{ $last } est à l'envers
said-all-attributes-together-are-too-large = tous les attributs ensemble sont trop grands
said-unknown-kind-of-entry = genre d'entrée inconnu
said-its-folder-was-moved-away = son dossier a été déplacé
said-carried = reporté
said-unread = non lu
said-unsettled = changeant
said-it-is-too-long-for-an = c'est trop long pour un fichier d'exclusions et n'a pas été appliqué
said-it-cannot-be-read-and-was = il ne peut pas être lu et n'a pas été appliqué : { $why }

## Ce qui est cherché

said-in-any-snapshot = Aucun backup trouvé pour : { $path }
said-in-this-snapshot = { $path } n'est pas dans cet instantané
said-in-snapshot = { $path } n'est pas dans l'instantané { $id }
said-in-any-history = { $path } n'est dans aucun historique
said-at-or-before = Aucun backup trouvé avant { $when } pour { $path }
said-version-of-there-are = Version { $number } introuvable pour { $path } ; il y a { $list }
said-any-history = Il n'y a pas d'historique
said-snapshot-3 = Instantané introuvable : `{ $name }`
said-snapshot-4 = Instantané introuvable : { $id }
said-snapshot-there-are-snapshots = Instantané introuvable : `{ $name }` ; il y a { $n } instantanés
said-is-not-a-snapshot-write-latest = `{ $name }` n'est pas un instantané : écrivez latest ou latest~2
said-is-not-a-snapshot-give-the = `{ $name }` n'est pas un instantané : donnez le début de son identifiant, ou latest
said-several-snapshots-begin-with-give-more = plusieurs instantanés commencent par `{ $name }` ; donnez plus de chiffres
said-several-forgotten-snapshots-begin-with-give = plusieurs instantanés oubliés commencent par `{ $name }` ; donnez plus de chiffres
said-forgotten-snapshot = Aucun instantané oublié `{ $name }`
said-forgotten-snapshot-another-one-stands-in = Aucun instantané oublié `{ $name }` : un autre est à sa place
said-forgotten-snapshot-its-space-was-given = Aucun instantané oublié `{ $name }` : sa place a été rendue
said-forgotten-snapshot-the-destination-that-has = Aucun instantané oublié `{ $name }` : la destination qui le contient est hors d'atteinte
said-give-a-tag-to-add-or = donnez une étiquette à ajouter ou à retirer
said-a-tag-has-1-to-bytes = une étiquette a de 1 à { $n } octets
said-a-note-has-at-most-bytes = une note a au plus { $n } octets
said-is-not-a-pattern = `{ $pattern }` n'est pas un motif : { $why }
said-two-folders-of-this-machine-are = deux dossiers de cette machine se comparent avec d'autres programmes ; donnez un instantané
said-it-is-not-in-the-archive = il n'est pas dans l'archive : { $why }
said-such-an-archive-has-no-place = une telle archive n'a pas de place pour lui
said-what-was-stored-of-it-cannot = ce qui en est stocké ne peut pas être lu : { $why }

## Restauration

said-version-known-saved-snapshot = version { $number } ({ $n } connues), date du backup { $when }, instantané { $id }
said-version-known-saved-history = version { $number } ({ $n } connues), date du backup { $when }, historique { $id }
said-snapshot-5 = instantané { $id }, { $when }
said-at-an-unknown-time = à une date inconnue
said-was-deleted-since-this-is-what = { $path } a été supprimé depuis ; voici ce que c'était avant.
said-is-not-in-the-newest-snapshot = { $path } n'est pas dans l'instantané le plus récent d'alors ; voici le dernier qui l'a.
said-could-not-be-read-for-newer = { $path } n'a pas pu être lu pour les instantanés plus récents d'alors ; voici le dernier qui a son contenu.
said-snapshot-is-partial-what-was-not = L'instantané { $id } est partiel : ce qui n'a pas encore été lu est comme avant, ou manque.
said-snapshot-has-what-was-chosen = L'instantané { $id } a ce qui a été choisi pour lui : tout le reste est comme avant, ou manque.
said-snapshot-is-partial-and-delete = l'instantané { $id } est partiel, et --delete supprimerait ce qui n'a pas encore été lu ; choisissez un autre instantané, ou restaurez sans --delete
said-snapshot-has-only-what-was-chosen = l'instantané { $id } n'a que ce qui a été choisi pour lui, et --delete supprimerait ce qui n'a pas été lu ; choisissez un autre instantané, ou restaurez sans --delete
said-is-in-no-snapshot-of-this = { $path } n'est dans aucun instantané de cette machine ; voici ce que { $name } a sauvegardé.
said-versions-are-kept-of-files-restore = les versions sont celles des fichiers ; restaurez un dossier avec --date
said-is-a-file-restore-it-with = { $path } est un fichier ; restaurez-le avec --file
said-a-snapshot-has-its-own-date = un instantané a sa propre date ; ne donnez ni --date ni --version
said-it-could-not-be-read-when = { $path } : il n'a pas pu être lu lors du backup
said-its-list-of-parts-cannot-be = la liste de ses parties ne peut pas être lue : { $why }
said-a-part-of-it-is-on = une partie n'en est sur aucune destination accessible
said-a-part-of-it-cannot-be = une partie n'en peut pas être lue : { $why }
said-it-cannot-be-written = il ne peut pas être écrit : { $why }
said-not-everything-that-was-written = tout ce qui y a été écrit n'est pas sur le disque : { $why }
said-it-was-not-finished = il n'a pas été terminé
said-it-could-not-be-given = n'a pas pu lui être donné : { $what }
said-its-owner = son propriétaire ({ $why })
said-its-owner-2 = son propriétaire ({ $why }), { $also }
said-its-permissions = ses permissions ({ $why }), { $also }
said-its-time = sa date ({ $why }), { $also }
said-the-attribute = l'attribut { $name } ({ $why }), { $also }
said-its-permissions-2 = ses permissions ({ $why })
said-its-time-2 = sa date ({ $why })
said-the-attribute-2 = l'attribut { $name } ({ $why })
said-its-content-is-not-what-was = son contenu n'est pas ce qui était stocké
said-it-cannot-be-read-again = il ne peut pas être relu : { $why }
said-it-is-no-folder-and-takes = ce n'est pas un dossier, et il est à la place du dossier vers lequel restaurer
said-it-cannot-be-restored = il ne peut pas être restauré : { $why }
said-what-is-in-it-cannot-be = ce qu'il contient ne peut pas être restauré : { $why }
said-some-of-what-was-in-it = une partie de ce qu'il contenait ne peut pas être lue : { $why }
said-what-was-in-it-was-never = ce qu'il contenait n'a jamais été sauvegardé, parce que cela n'a pas pu être lu
said-it-is-not-in-the-snapshot = il n'est pas dans l'instantané et ne peut pas être supprimé : { $why }
said-another-file-system-is-mounted-there = un autre système de fichiers y est monté, et rien n'y a été supprimé
said-another-file-system-is-mounted-in = un autre système de fichiers y est monté
said-it-was-never-backed-up-because = il n'a jamais été sauvegardé, parce qu'il n'a pas pu être lu
said-another-command-cleaned-there-while = une autre commande y a nettoyé pendant la lecture ; recommencez
said-the-file-of-which-it-is = le fichier dont il est un autre nom n'a pas pu être restauré
said-the-target-ignores-case-and-is = la cible ne distingue pas majuscules et minuscules, et `{ $name }` est déjà à sa place ; restaurez-le vers une autre cible
said-it-cannot-be-made-another-name = il ne peut pas devenir un autre nom du même fichier : { $why }
said-what-was-damaged-could-not-be = Ce qui était endommagé n'a pas pu être réparé : { $why } ; exécutez `cryptbackup check --read-data --heal`
said-what-was-damaged-was-not-healed = Ce qui était endommagé n'a pas été réparé, car une autre commande écrit ; exécutez `cryptbackup check --read-data --heal`
said-damaged-pack-was-healed = { $n } paquet endommagé a été réparé
said-damaged-packs-were-healed = { $n } paquets endommagés ont été réparés
said-could-not-be-healed-run-cryptbackup = { $n } n'ont pas pu être réparés : { $why } ; exécutez `cryptbackup check --read-data --heal`
said-is-inside-where-backups-or-settings = { $path } se trouve dans { $other }, où sont gardés des backups ou des réglages ; choisissez un autre endroit avec --destination
said-where-backups-or-settings-are-kept = { $other }, où sont gardés des backups ou des réglages, se trouve dans { $path }, et --delete le supprimerait ; restaurez sans --delete, ou ailleurs avec --destination
said-an-earlier-part-failed = une partie précédente a échoué
said-is-a-folder-and-versions-are = { $path } est un dossier, et les versions sont celles des fichiers : listez-le avec `ls latest:{ $path }`, restaurez-le avec `restore --directory { $path }`
said-the-archive-was-ended = l'archive est finie

## Exercices de restauration

said-folders-at-or-near-it = des dossiers à cet endroit ou à côté ne peuvent pas être lus : { $why }
said-some-of-it-cannot-be = une partie n'en peut pas être lue : { $why }
said-what-lies-on-this-disk = ce qui est sur ce disque n'est pas ce qui y a été écrit
said-byte-of-the-file-itself = l'octet { $n } du fichier lui-même n'est pas ce qui a été sauvegardé, alors que sa taille et ses dates disent que rien ne l'a changé
said-the-file-itself-cannot-be = le fichier lui-même ne peut plus être lu : { $why }
said-restored-it-differs-in = restauré, il diffère par { $what }
said-its-permissions-3 = ses permissions
said-its-owner-3 = son propriétaire
said-its-time-3 = sa date
said-the-attribute-3 = l'attribut { $name }

## Nettoyage

said-no-snapshot-of-would-be-left = il ne resterait aucun instantané de { $path }
said-is-a-whole-source-and-nothing = { $path } est une source entière, et il n'en resterait rien
said-more-than-half-of-the-snapshots = plus de la moitié des instantanés de { $path } serait supprimée d'un coup
said-the-newest-snapshot-is-later-than = l'instantané le plus récent est plus tard que l'horloge de cette machine
said-there-are-days-between-two-snapshots = il y a { $n } jours entre deux instantanés, bien plus que d'habitude : l'horloge de cette machine a-t-elle sauté ?
said-snapshot-is-damaged-and-what-it = l'instantané { $id } est endommagé ({ $why }), et on ne peut pas savoir ce dont il a besoin ; `cryptbackup forget { $id }` y renonce
said-snapshot-cannot-be-read-whole-so = l'instantané { $id } ne peut pas être lu en entier ({ $why }), on ne peut donc pas savoir ce qui sert encore ; `cryptbackup forget { $ids }` y renonce
said-something-could-not-be-read-so = quelque chose n'a pas pu être lu ({ $why }), on ne peut donc pas savoir ce qui sert encore ; réessayez
said-a-snapshot-or-a-mark-was = entre-temps un instantané ou une décision a été fait ; le prochain `clean` continue
said-new-snapshots-appeared-again-and-again = de nouveaux instantanés apparaissaient sans cesse
said-what-is-to-be-kept-of = ce qui est à garder d'anciens instantanés n'a pas pu être stocké : { $why }
said-pack-cannot-be-read = le paquet { $id } ne peut pas être lu : { $why }
said-which-a-purge-replaced-stays = l'instantané { $id }, remplacé par `purge`, reste jusqu'à ce que celui qui en tient lieu soit ici aussi : lancez `cryptbackup sync` quand une autre destination est là, ou abandonnez-le avec `cryptbackup forget { $id }`
said-what-an-earlier-purge-put-in-place = ce qu'une purge antérieure a mis à la place d'un instantané est hors de portée : purgez de nouveau quand ce sera de retour
said-it-is-out-of-reach = elle est hors d'atteinte
said-it-is-out-of-reach-and-has = elle est hors d'atteinte, et a des instantanés qui ne sont nulle part ailleurs : relancez `purge` quand elle est de retour
said-another-machine-is-about-to-delete = une autre machine va supprimer des paquets qui servent encore ; elle les stocke d'abord de nouveau, réessayez donc après son prochain backup
said-chunks-that-its-snapshots-need-are = { $n } morceaux dont ses instantanés ont besoin ne sont dans aucun de ses paquets : exécutez `cryptbackup check`
said-a-snapshot-that-was-here-is = un instantané qui était là n'est plus dans sa liste ({ $id }) : exécutez `cryptbackup sync`, qui copie depuis une autre destination, ou `cryptbackup forget { $id }` si c'était voulu
said-snapshots-that-were-here-are-not = { $n } instantanés qui étaient là ne sont plus dans sa liste ({ $id }) : exécutez `cryptbackup sync`, qui copie depuis une autre destination, ou `cryptbackup forget { $id }` si c'était voulu
said-of-packs-are-not-in-its = { $n } paquets sur { $all } ne sont plus dans sa liste : exécutez `cryptbackup check`
said-is-damaged-and-what-it-decided = { $name } est endommagé ({ $why }), et on ne peut pas savoir ce qu'il décidait : `cryptbackup check` en dit plus
said-is-not-a-share-give-more = { $n } n'est pas une part : donnez plus de 0 et au plus 100 pour cent

## Dommages et réparations

said-it-is-missing = il manque
said-it-was-here-and-is-gone = il était là et a disparu
said-it-has-bytes-instead-of = il a { $n } octets au lieu de { $other }
said-it-is-there-with-bytes-instead = il est là avec { $n } octets au lieu de { $other }
said-it-is-there-with-other-bytes = il est là avec d'autres octets
said-its-bytes-do-not-match-its = ses octets ne correspondent pas à son nom
said-its-bytes-are-not-those-that = ses octets ne sont pas ceux qui ont été écrits
said-its-directory-cannot-be-read = son répertoire ne peut pas être lu : { $why }
said-its-directory-and-some-of-its = son répertoire et certains de ses blocs ne peuvent pas être lus
said-blocks-of-it-cannot-be-read = certains de ses blocs ne peuvent pas être lus
said-it-is-known-to-be-damaged = il est connu comme endommagé
said-there-is-nothing-in-it = il n'y a rien dedans
said-there-is-nothing-of-a-destination = il n'y a rien d'une destination dedans
said-there-is-no-key-slot-in = il n'y a pas d'emplacement de clé dedans
said-there-is-no-key-ring-in = il n'y a pas de trousseau dedans
said-there-is-no-key-ring = il n'y a pas de trousseau
said-there-is-no-config-object = il n'y a pas d'objet de configuration
said-this-folder-is-missing = ce dossier manque
said-it-has-no-place-in-a = il n'a rien à faire dans une destination
said-the-space-kept-free-for-cleaning = la place réservée pour nettoyer un disque plein a disparu
said-it-does-not-have-the-number = il n'a pas le numéro de son nom
said-its-number-is-not-that-of = son numéro n'est pas celui de son nom
said-it-does-not-belong-to-this = il n'appartient pas à l'en-tête de ce dépôt
said-it-is-and-not-here = il est { $what } et pas ici
said-on-this-computer = sur cet ordinateur
said-chunks-of-are-in-no-whole = { $n } morceaux de { $path } ne sont dans aucun paquet intact ici
said-the-tree-of-cannot-be-read = l'arborescence de { $path } ne peut pas être lue : { $why }
said-written-again = réécrit
said-it-is-whole = il est intact
said-taken-from = pris dans [{ $name }]
said-taken-from-this-computer = pris sur cet ordinateur
said-one-bit-was-wrong = un bit était faux
said-removed-damaged-it-meant-nothing = supprimé : endommagé il ne voulait rien dire
said-made-again-from-what-is-whole = refait à partir de ce qui y est intact
said-put-together-from-damaged-copies = assemblé à partir de { $n } copies endommagées
said-chunks-that-could-be-read-were = { $n } morceaux encore lisibles ont été stockés de nouveau, les autres sont perdus
said-nothing-in-it-can-be-read = rien n'y est lisible
said-no-destination-within-reach-has-it = aucune destination accessible ne l'a intact
said-no-destination-within-reach-and-nothing = aucune destination accessible et rien sur cet ordinateur ne l'a
said-what-it-needs-is-not-whole = ce dont il a besoin n'est pas intact à portée : { $why }
said-what-was-written-cannot-be-read = ce qui a été écrit ne se relit pas inchangé
said-that-were-missing-were-taken-from = { $what } qui manquaient ont été pris dans d'autres destinations

## Octets stockés

said-it-was-sealed-with-another-key = Échec du déchiffrement (clé invalide ou fichier corrompu) : il a été chiffré avec une autre clé
said-its-authentication-failed-the-stored-bytes = Échec du déchiffrement (clé invalide ou fichier corrompu) : les octets stockés ont été changés
said-the-key-of-epoch-is-not = la clé de l'époque { $n } n'est pas dans le trousseau
said-it-does-not-decompress-to-its = décompressé, il n'a pas la longueur enregistrée
said-compression-failed = la compression a échoué
said-the-content-of-a-chunk-does = Le fichier de backup est corrompu : le contenu d'un morceau ne correspond pas à son empreinte
said-the-bytes-end-too-early = les octets finissent trop tôt
said-there-are-bytes-after-the-end = il y a des octets après la fin
said-the-checksum-does-not-match = la somme de contrôle ne correspond pas
said-the-first-bytes-are-not-those = les premiers octets ne sont pas ceux de ce type d'objet
said-a-reserved-field-is-not-zero = un champ réservé n'est pas nul
said-format-version-with-required-features-needs = la version de format { $n } avec les capacités requises { $text } demande un programme plus récent
said-it-ends-after-bytes-before-byte = il finit après { $n } octets, avant l'octet { $end }

## Watching

said-it-is-off-watch = c'est désactivé ; `cryptbackup config set watch.enabled true` active la surveillance
said-the-system-watches-no-more-folders = le système ne surveille pas plus de dossiers ; un plus grand fs.inotify.max_user_watches (`sudo sysctl fs.inotify.max_user_watches=1048576`) le lui permet
said-it-is-not-there-watch = elle n'est pas là
said-it-lies-on-another-computer = elle est sur un autre ordinateur, qui ne dit rien des changements
said-the-system-told-of-more-changes = le système a signalé plus de changements qu'il ne peut en retenir
said-the-settings-changed = la configuration a changé
said-the-machine-slept = l'ordinateur était en veille

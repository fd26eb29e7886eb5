### L'aide de la ligne de commande, en français ; en anglais elle est écrite auprès des arguments.

## Titres et mots de l'aide

help-usage = Usage :
help-default = [par défaut : { $values }]
help-possible = [valeurs possibles : { $values }]
help-heading-arguments = Arguments{ " " }
help-heading-commands = Commandes{ " " }
help-heading-common-options = Options communes{ " " }
help-heading-examples = EXEMPLES :
help-heading-key-options = Options de clé{ " " }
help-heading-options = Options{ " " }
help-heading-rules = Règles{ " " }
help-value-BUDGET = BUDGET
help-value-COMMAND = COMMANDE
help-value-DATE = DATE
help-value-KIND = GENRE
help-value-TYPE = TYPE
help-value-SNAPSHOT-PATH-FILE-N = INSTANTANÉ[:CHEMIN]|FICHIER@N
help-value-SNAPSHOT-PATH-FILE-N-PATH = INSTANTANÉ[:CHEMIN]|FICHIER@N|CHEMIN
help-value-DESTINATION = DESTINATION
help-value-DIR = DOSSIER
help-value-FILE = FICHIER
help-value-KEY = CLÉ
help-value-N = N
help-value-NAME = NOM
help-value-OVERWRITE = QUAND
help-value-PATH = CHEMIN
help-value-PATTERN = MOTIF
help-value-PATTERNS = MOTIFS
help-value-PERCENT = POURCENTAGE
help-value-SHELL = SHELL
help-value-SIZE = TAILLE
help-value-SNAPSHOT = INSTANTANÉ
help-value-SNAPSHOT-PATH = INSTANTANÉ[:CHEMIN]
help-value-SOURCE = SOURCE
help-value-TAG = ÉTIQUETTE
help-value-TEXT = TEXTE
help-value-WHAT = QUOI
help-value-VALUE = VALEUR

## Options de plusieurs commandes

help-any-help = Afficher l'aide
help-any-help-short = Afficher l'aide (plus avec `--help`)
help-any-help-long = Afficher l'aide (un résumé avec `-h`)
help-any-version = Afficher la version
help-any-json = Écrire du JSON : un document pour les listes, des lignes avec `message_type` pour les longs travaux
help-any-quiet = Ne rien dire quand tout va bien
help-any-verbose = En dire plus ; deux fois : tout dire
help-any-no-progress = Ne pas montrer la progression
help-any-passphrase = Demander une phrase secrète dans le terminal
help-any-passphrase-file = Lire la phrase secrète dans un fichier
help-any-passphrase-command = Exécuter une commande du shell qui affiche la phrase secrète
help-any-recovery-key = Lire les mots de secours dans un fichier, `-` pour l'entrée standard
help-any-key-file = Ouvrir avec un fichier-clé
help-any-dry-run = Dire seulement ce qui serait fait
help-any-dir = Le dossier
help-any-key = La clé, avec des points
help-any-name = Son nom
help-any-snapshot = Le début d'un identifiant, `latest` ou `latest~N`
help-any-snapshots = Le début d'un identifiant, `latest` ou `latest~N`
help-any-destination = Seulement cette destination
help-any-force = Aussi là où il ne resterait rien d'une source

## Commandes

help = Backups chiffrés, dédupliqués et incrémentiels vers plusieurs destinations à la fois
help-help = Afficher ce message ou l'aide des commandes données

help-quickstart = Tout mettre en place, ajouter une source et une destination, et faire le premier backup
help-quickstart-more = Peut être relancé : ce qui est déjà en place est conservé.
help-quickstart-source = Le dossier à sauvegarder
help-quickstart-destination = Le dossier pour les backups ; il est créé si le dossier où il se trouve existe
help-quickstart-recovery-key = Écrire les mots de secours dans un nouveau fichier, au lieu de les montrer dans le terminal

help-init = Mettre en place un nouveau dépôt : configuration, clé et index
help-init-more = Dans un terminal, des mots de secours sont faits aussi et montrés une seule fois. Sans --passphrase, la clé est dans config.yaml.
help-init-force = Mettre de côté ce qui est en place et recommencer à neuf ; rien n'est supprimé
help-init-pack-size = Octets stockés d'un paquet plein, de 4160KiB à 128MiB ; vaut pour toute la vie du dépôt
help-init-recovery-key = Écrire les mots de secours dans un nouveau fichier, au lieu de les montrer dans le terminal

help-connect = Mettre en place cette machine à partir d'une destination qui contient des backups
help-connect-more = La clé vient d'une copie de config.yaml, d'une phrase secrète, de mots de secours ou d'un fichier-clé.
help-connect-dir = Le dossier de la destination
help-connect-config = Une copie de config.yaml : sa clé et ses réglages sont utilisés

help-add = Ajouter un dossier aux sources ; l'ajouter de nouveau remplace ses options
help-add-exclude = Motifs à exclure, comme dans .gitignore, séparés par des virgules ; peut être répété
help-add-exclude-from = Aussi les motifs de ce fichier, tel qu'il est maintenant, un par ligne
help-add-exclude-larger-than = Exclure les fichiers plus grands que cela : 500MB, 4GiB
help-add-gitignore = Exclure ce que les fichiers .gitignore excluent de git
help-add-exclude-caches = Exclure les dossiers marqués d'un CACHEDIR.TAG
help-add-one-file-system = Ne pas entrer dans d'autres systèmes de fichiers montés
help-add-ignore-inode = Ne pas prendre un autre numéro d'inode pour un changement (pour les systèmes de fichiers réseau)
help-add-ignore-ctime = Ne pas prendre un autre ctime pour un changement

help-remove = Retirer un dossier des sources ; ses backups sont conservés
help-exclude = Montrer ce qui est exclu des sources, le changer, ou dire ce qu'un changement ferait
help-exclude-more = Ce qui est déjà stocké reste dans les instantanés qui l'ont.
help-exclude-patterns = Motifs à exclure, comme dans .gitignore, séparés par des virgules ; sans motif, ceux qui sont définis sont montrés
help-exclude-source = Seulement de cette source ; peut être répété
help-exclude-what-if = Dire seulement ce qui serait exclu, et ce qui en est stocké
help-exclude-remove = Ne plus les exclure

help-config = Afficher ou modifier la configuration
help-config-show = Afficher toute la configuration, sans les secrets
help-config-get = Afficher la valeur d'une clé
help-config-set = Modifier une clé
help-config-set-more = `destinations.NOM DOSSIER` crée et marque le dossier DOSSIER, si le dossier où il se trouve existe, ou en reprend un qui contient ce dépôt.
help-config-set-value = Sa valeur
help-config-unset = Rendre à une clé sa valeur par défaut, ou la retirer

help-destination = Lister, accepter ou oublier des destinations (`config set destinations.NOM DOSSIER` en ajoute une)
help-destination-list = Lister les destinations et leur état
help-destination-accept = Accepter une destination telle qu'elle est maintenant, après une restauration depuis une image ou un clonage
help-destination-forget = Oublier une destination ; ce qui s'y trouve y reste

help-key = Lister, ajouter, retirer, exporter ou renouveler les clés qui ouvrent le dépôt
help-key-list = Lister ce qui ouvre le dépôt, et sur quelles destinations
help-key-add = Ajouter une clé : une phrase secrète, des mots de secours, un fichier-clé, ou une autre clé dans config.yaml
help-key-add-more = Sans option, dans un terminal, des mots de secours sont faits et montrés une seule fois. Toutes les clés se valent : chacune ouvre tout.
help-key-add-recovery-key = Faire des mots de secours et les écrire dans un nouveau fichier
help-key-add-key-file = Prendre un fichier comme clé ; s'il n'existe pas, il est fait
help-key-add-inline = Faire une clé pour config.yaml, à la place de celle qui s'y trouve
help-key-add-open-with-passphrase-file = Ouvrir le dépôt avec la phrase secrète d'un fichier
help-key-add-open-with-recovery-key = Ouvrir le dépôt avec les mots de secours d'un fichier
help-key-add-open-with-key-file = Ouvrir le dépôt avec un fichier-clé
help-key-remove = Retirer une clé, ici et sur chaque destination
help-key-remove-more = Une destination absente la perd à son retour. La clé qui ouvre le dépôt en ce moment n'est pas retirée : pour retirer celle de config.yaml, donnez-en une autre. Qui a copié avant une clé et son secret peut encore ouvrir ce dont il a une copie.
help-key-remove-key = Les premiers chiffres de son identifiant, comme `key list` le montre
help-key-export = Écrire la clé dans un fichier, ou de nouveaux mots de secours
help-key-export-more = Le fichier est ce que prend `connect --config`. Sans fichier, la clé va sur la sortie standard. Rien n'est écrasé.
help-key-export-remark = sur papier
help-key-export-file = Un nouveau fichier pour la clé de config.yaml
help-key-export-words = Faire des mots de secours et les écrire dans un nouveau fichier
help-key-rotate = Sceller avec une nouvelle clé ce qui est écrit à partir de maintenant
help-key-rotate-more = Ce qui a été écrit avant reste lisible, et chaque phrase secrète, mots de secours, fichier-clé et config.yaml ouvre comme avant : cela limite ce qui est scellé avec une même clé. Cela n'exclut pas qui en a un.

help-backup = Sauvegarder toutes les sources, ou certaines, vers chaque destination accessible
help-backup-source = Seulement cette source ; peut être répété
help-backup-smart = Les fichiers importants d'abord, et un instantané de ce qui est fait toutes les quelques minutes
help-backup-explain = Montrer les dix premiers fichiers, et pourquoi
help-backup-files-from = Ne lire que les fichiers de cette liste, un par ligne ou séparés par NUL ; `-` pour l'entrée standard ; peut être répété
help-backup-recheck = Lire aussi tel pourcentage des fichiers qui paraissent inchangés, d'autres chaque fois, et dire si l'un s'est abîmé
help-backup-stdin = Enregistrer ce qui arrive par l'entrée standard, ou ce que COMMANDE écrit, comme un fichier de ce nom
help-backup-command = Avec --stdin : ce qui l'écrit ; si elle échoue, rien n'est enregistré
help-backup-tag = Un mot pour retrouver l'instantané ; peut être répété
help-backup-force = Lire tous les fichiers, même ceux qui paraissent inchangés
help-backup-no-sync = Ne pas mettre à jour les destinations en retard
help-backup-accept-changes = Ce qui a changé est voulu, si grand que ce soit : ne pas le dire suspect, ni maintenant ni dans les backups d'avant

help-status = Afficher les sources, les destinations, ce qui est stocké et la date du dernier backup
help-status-check = Dire par le code de sortie où on en est : 4 suspect ; 3 aucune source, ou une source jamais sauvegardée, en retard ou avec des problèmes ; 5 une destination manquante, absente ou en retard

help-snapshots = Lister les instantanés, le plus récent d'abord

help-list = Lister les versions d'un fichier, la plus ancienne d'abord
help-list-file = Le fichier
help-list-limit = Seulement les N plus récentes
help-list-remark = de la liste

help-ls = Lister un dossier d'un instantané
help-ls-snapshot = Le début d'un identifiant, `latest`, `latest~N` ou `history`, et un dossier dedans ; sans dossier, ses sources
help-ls-recursive = Aussi ce qui est dans ses dossiers
help-ls-remark = versions qu'aucun instantané n'a plus

help-find = Trouver des fichiers et des dossiers dans tous les instantanés, avec leurs versions
help-find-more = Un motif sans barre oblique est comparé aux noms, un motif avec barre oblique aux chemins entiers ; un simple mot trouve tout ce qui l'a dans son chemin. Ce qui a été supprimé, et ce que seul l'historique contient encore, est trouvé aussi.
help-find-patterns = Ce qui est cherché ; un seul doit correspondre
help-find-ignore-case = `A` et `a` sont pareils
help-find-type = Seulement ce qui est cela
help-find-larger-than = Seulement les fichiers d'au moins autant d'octets : 500000, 10MB, 1GiB
help-find-smaller-than = Seulement les fichiers d'au plus autant d'octets
help-find-modified-after = Seulement ce qui a été modifié après : 2026-01-15 (la fin de ce jour), 2026-01-15T10:30, RFC 3339, il y a 5h, 2d ou 3w
help-find-modified-before = Seulement ce qui a été modifié avant
help-find-in = Seulement ce dossier et ce qui est dedans
help-find-snapshot = Seulement dans cet instantané : le début d'un identifiant, `latest` ou `latest~N`
help-find-deleted = Seulement ce que l'instantané le plus récent de sa source n'a plus

help-du = Montrer ce qui prend la place, par dossier, par genre de fichier ou par instantané
help-du-more = Ce qui est pareil est stocké une fois. Il y a donc deux colonnes : ce que quelque chose demande, et ce que lui seul demande, qui reviendrait sans lui.
help-du-path = Seulement à cet endroit ou en dessous
help-du-by = Par quoi
help-du-depth = Les dossiers de tant de niveaux, comptés depuis PATH ou depuis la racine
help-du-snapshot = Seulement dans cet instantané : le début d'un identifiant, `latest` ou `latest~N`
help-du-limit = Seulement les N qui demandent le plus

help-diff = Montrer ce qui diffère entre deux instantanés, deux versions d'un fichier, ou un instantané et ce qui est ici
help-diff-more = `+` seul le second l'a, `-` seul le premier, `M` un autre contenu, `?` un autre contenu alors que taille et date sont les mêmes, `T` c'est devenu autre chose, `U` d'autres métadonnées.
help-diff-before = Ce qui était : un instantané, un chemin dedans, une version d'un fichier, ou un chemin d'ici
help-diff-after = Ce qui est
help-diff-content = Lire les fichiers d'ici même si taille et date sont les mêmes
help-diff-metadata = Montrer aussi ce qui ne diffère que par le propriétaire, les permissions, la date ou les attributs
help-diff-remark = ce qui a changé depuis le dernier backup
help-diff-remark-2 = lit chaque fichier : un disque en a-t-il changé un ?

help-dump = Écrire un fichier stocké, ou un dossier en tar ou en zip, sur la sortie standard
help-dump-what = Un chemin dans un instantané (sans chemin, toutes ses sources), ou une version d'un fichier
help-dump-archive = En archive de ce genre ; sans cela un dossier est une archive tar
help-dump-output = Plutôt dans ce nouveau fichier

help-restore = Restaurer un fichier, un dossier ou tout un instantané
help-restore-more = Sans --destination tout revient là où c'était. --date veut dire la version la plus récente qui existait alors : une date est la fin de ce jour, 5h, 2d et 3w sont il y a autant d'heures, de jours, de semaines.
help-restore-file = Restaurer ce fichier
help-restore-directory = Restaurer ce dossier
help-restore-snapshot = Restaurer toutes les sources de cet instantané : le début d'un identifiant, `latest` ou `latest~N`
help-restore-list = Lister les fichiers qui peuvent être restaurés, ceux qui ont été supprimés aussi
help-restore-date = Comme c'était alors : 2026-01-15, 2026-01-15T10:30, RFC 3339, 5h, 2d ou 3w
help-restore-version = Cette version du fichier, comme `list` les numérote
help-restore-destination = Vers où ; pour un fichier son nouveau chemin ou un dossier, pour un dossier là où son contenu apparaît
help-restore-overwrite = Quand écraser ce qui est là
help-restore-delete = Supprimer aussi ce qui est là et n'y était pas alors, mais rien de ce que les règles d'une source laissent de côté
help-restore-verify = Tout relire ensuite et comparer
help-restore-from = Lire depuis cette destination seulement

help-clean = Retirer ce que les règles ne gardent pas, et rendre sa place sur chaque destination
help-clean-more = Les règles sont celles de `retention` dans la configuration, changées pour cette fois par les options. Tout instantané plus jeune que --keep-days reste, et au-delà toute version d'un fichier qui est parmi ses --keep-versions plus récentes. Les options --keep-last à --keep-yearly gardent des instantanés entiers ; données sans --keep-days ni --keep-versions, elles remplacent toutes les autres règles. L'instantané le plus récent de chaque source et ceux qui sont épinglés restent toujours.
help-clean-keep-days = Garder tout ce qui a moins de N jours
help-clean-keep-versions = Garder les N versions les plus récentes de chaque fichier, quel que soit leur âge
help-clean-keep-last = Garder les N instantanés les plus récents
help-clean-keep-hourly = Garder l'instantané le plus récent de chacune des N dernières heures qui en ont un
help-clean-keep-daily = Garder l'instantané le plus récent de chacun des N derniers jours qui en ont un
help-clean-keep-weekly = Garder l'instantané le plus récent de chacune des N dernières semaines qui en ont un
help-clean-keep-monthly = Garder l'instantané le plus récent de chacun des N derniers mois qui en ont un
help-clean-keep-yearly = Garder l'instantané le plus récent de chacune des N dernières années qui en ont un
help-clean-dry-run = Dire seulement ce qui resterait, ce qui partirait et combien de place serait rendue
help-clean-force = Le faire même si cela ressemble à une erreur

help-forget = Retirer des instantanés, avec toutes les versions qu'ils sont seuls à avoir ; `unforget` les ramène jusqu'au prochain `clean`

help-unforget = Ramener des instantanés oubliés, tant que leur place n'a pas été rendue
help-unforget-snapshots = Le début d'un identifiant, comme `forget` l'a dit

help-purge = Retirer un fichier ou un dossier, avec toutes ses versions, de tous les instantanés et de l'historique
help-purge-more = Les instantanés qui l'ont sont remplacés par d'autres sans lui ; tout le reste y demeure tel quel.
help-purge-path = Le fichier ou le dossier

help-pin = Garder des instantanés quoi que disent les règles, ou les rendre aux règles
help-pin-remove = Les rendre aux règles

help-tag = Donner des étiquettes à un instantané, ou lui en retirer
help-tag-add = Une étiquette à ajouter ; peut être répété
help-tag-remove = Une étiquette à retirer ; peut être répété

help-note = Mettre une note sur un instantané à la place d'une précédente, ou l'enlever
help-note-text = La note ; sans elle, celle qui est là est enlevée
help-note-remark = enlève la note

help-check = Chercher des dommages : la structure par défaut, chaque octet avec --read-data
help-check-read-data = Lire et vérifier chaque octet
help-check-read-data-subset = Lire et vérifier cette partie, choisie au hasard
help-check-heal = Réécrire ce qui est endommagé ou manque, depuis une autre destination ou cet ordinateur

help-drill = Restaurer un échantillon depuis chaque destination seule, le comparer et l'enlever
help-drill-more = Ce qui compte plus et ce qui n'a pas été essayé depuis plus longtemps a plus de chances d'être choisi. C'est restauré dans un endroit privé sous le dossier d'état, une portion à la fois, par le chemin que prend toute restauration ; puis c'est relu et comparé à ce qui était stocké, et aux fichiers eux-mêmes s'ils n'ont pas été changés depuis. `status` dit combien est prouvé.
help-drill-budget = Combien sur chaque destination, à partir de 4MB, ou pendant combien de temps en tout : 500MB, 30s, 5min, 2h
help-drill-destination = Seulement cette destination ; peut être répété

help-scrub = Lire le dossier d'une destination sans aucune clé et chercher des dommages
help-scrub-more = Chaque fichier est comparé à son nom, qui est l'empreinte de ses octets. Cela marche sur n'importe quel ordinateur, pour qui garde le disque. Ce qui a été supprimé n'est trouvé que par `check`.
help-scrub-folder = Le dossier de la destination

help-sync = Copier depuis les autres ce qui manque à des destinations

help-rebuild-index = Refaire l'index local à partir des destinations ; l'ancien est mis de côté

help-sysinfo = Afficher les versions du programme et du système, et où est l'état

help-completions = Afficher la complétion pour un shell ; elle connaît les instantanés, leur contenu, les sources, les destinations et les réglages
help-completions-shell = Quel shell
help-man = Afficher une page de manuel, ou les écrire toutes dans un dossier
help-man-command = De cette commande, en un ou plusieurs mots ; sans elle, du programme lui-même
help-man-output = Écrire la page du programme et de chaque commande dans ce dossier

## Mauvais usage

help-wrong = { $sentence }

    Pour en savoir plus, essayez `--help`.
help-wrong-usage = { $sentence }

    Usage : { $usage }

    Pour en savoir plus, essayez `--help`.
help-wrong-argument = Argument inattendu : `{ $argument }`
help-wrong-command = Commande inconnue : `{ $command }`
help-wrong-conflict = `{ $argument }` ne va pas avec `{ $other }`
help-wrong-missing = Il manque : { $argument }
help-wrong-no-command = Il manque une commande
help-wrong-value = Valeur invalide `{ $value }` pour `{ $argument }`
help-wrong-value-valid = Valeur invalide `{ $value }` pour `{ $argument }` ; possibles : { $valid }
help-wrong-value-why = Valeur invalide `{ $value }` pour `{ $argument }` : { $why }

help-watch = Sauvegarder ce qui change, à mesure, jusqu'à Ctrl-C ou SIGTERM
help-watch-more = D'abord tout est examiné. Ensuite un changement est sauvegardé quand il s'est calmé, au plus une fois toutes les `watch.interval` secondes ; sans `watch.realtime` tout est examiné à cet intervalle. Les destinations qui étaient absentes rattrapent leur retard à leur retour.
help-watch-daemon = Accepté pour d'anciens scripts ; la commande reste au premier plan, un gestionnaire de services la met en arrière-plan

BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('pre_0003');
CREATE TABLE checkpoint (
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	state TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "checkpoint" VALUES(26,'009c9c00578084f23bd287253970d81b2f4e50bf73c40e15ebcfd30bdf9df820','{"control_revision":26,"emergencies":[["E-24","graceful",[{"site":"s1"}],["stop-1"],"2026-11-22T14:00:00.000000Z","ana","","c-6","active",null,"","","",null,"",null,"",null,null,0,"",0]],"fleet":"f-0123456789ab","format":5,"holds":[{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-20","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":20,"selector":{"site":"s1"},"source":"operator"},{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-21","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":21,"selector":{"site":"s2"},"source":"operator"},{"admit":0.0,"correlation_id":"c-4","expires_at":null,"hold_id":"H-22","mode":"drain","overdue":false,"owner":"ab_testing","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":22,"selector":{"operation":"ab_testing"},"source":"flag"},{"admit":0.0,"correlation_id":"c-6","expires_at":null,"hold_id":"H-25","mode":"drain","overdue":false,"owner":"E-24","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":25,"selector":{"site":"s1"},"source":"emergency"}],"limits":[["content_pages",100,3600.0,"content_generation","maxContentPagesPerHour","2026-11-22T14:00:00.000000Z","runtime"],["gsc_requests",200,3600.0,"gsc_verification","maxGSCRequestsPerHour","2026-11-22T14:00:00.000000Z","runtime"],["opportunity_scans",50,86400.0,"opportunity_scan","maxOpportunityScansPerDay","2026-11-22T14:00:00.000000Z","runtime"],["sites",0,3600.0,"site_creation","maxSitesPerHour","2026-11-22T14:00:00.000000Z","ana"]],"names":[["operation","ab_testing","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["operation","content_generation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","content_optimization","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","gsc_verification","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","opportunity_scan","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","site_creation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["site","s1","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["site","s2","Zweite Seite","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["workflow","manual-order-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","orders-cleanup","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","shipstation-upload","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","status-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","weekly-reporter","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","xml-import","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"]],"names_revision":19,"procedures":[],"revision":26,"services":[],"stops":[["stop-1","E-24","graceful",[{"site":"s1"}],["H-25"],["w1","w2"],"2026-11-22T14:00:00.000000Z","ana","2026-11-22T14:01:00.000000Z","","pending",[],null,null,[],"",false,0]],"tokens":[],"trigger_share":1.0,"triggers":[],"workers":[]}','7120868636276deba0c603164e4c42a27edfea4ddf5d5d5cd0d5848843eae75f');
CREATE TABLE gate_head (
	id INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	fleet TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	names_revision INTEGER NOT NULL, 
	written_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_head CHECK (id = 1)
);
INSERT INTO "gate_head" VALUES(1,1,'f-0123456789ab',35,'68a1c1c667d0c0a7308a101e93e690fc7c30fcedf00011c47503cdf5fe1e359c',34,'2026-11-22T14:00:00.000000Z');
CREATE TABLE gate_hold (
	hold_id TEXT NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (hold_id)
);
INSERT INTO "gate_hold" VALUES('H-20','{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-22','{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-25','{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":30,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-28','{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"smoke in the hall","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":32,"overdue":false}');
CREATE TABLE gate_name (
	dimension TEXT NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (dimension, name)
);
INSERT INTO "gate_name" VALUES('operation','ab_testing');
INSERT INTO "gate_name" VALUES('operation','content_generation');
INSERT INTO "gate_name" VALUES('operation','content_optimization');
INSERT INTO "gate_name" VALUES('operation','gsc_verification');
INSERT INTO "gate_name" VALUES('operation','opportunity_scan');
INSERT INTO "gate_name" VALUES('operation','site_creation');
INSERT INTO "gate_name" VALUES('workflow','manual-order-sync');
INSERT INTO "gate_name" VALUES('workflow','orders-cleanup');
INSERT INTO "gate_name" VALUES('workflow','shipstation-upload');
INSERT INTO "gate_name" VALUES('workflow','status-sync');
INSERT INTO "gate_name" VALUES('workflow','weekly-reporter');
INSERT INTO "gate_name" VALUES('workflow','xml-import');
INSERT INTO "gate_name" VALUES('site','s1');
CREATE TABLE gate_stop (
	stop_id TEXT NOT NULL, 
	emergency_id TEXT NOT NULL, 
	level TEXT NOT NULL, 
	result TEXT NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (stop_id)
);
INSERT INTO "gate_stop" VALUES('stop-1','E-24','immediate','pending','{"selectors":[{"site":"s1"}],"ordered_at":"2026-11-22T14:00:00.000000Z","deadline_at":"2026-11-22T14:00:05.000000Z","of":["w1","w2"],"services":{},"recounted":0,"reason":"","ordered_by":"ana"}');
INSERT INTO "gate_stop" VALUES('stop-2','E-24','immediate','pending','{"selectors":[{}],"ordered_at":"2026-11-22T14:00:00.000000Z","deadline_at":"2026-11-22T14:00:05.000000Z","of":["w1","w2"],"services":{},"recounted":0,"reason":"smoke in the hall","ordered_by":"ana"}');
CREATE TABLE journal (
	revision INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	correlation_id TEXT NOT NULL, 
	command_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	body TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	chain TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "journal" VALUES(1,'fleet.created',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','60ccaef8d14e1153b89163df14e10ef1','{"actor":{"kind":"system","name":"runtime"},"data":{"fleet":"f-0123456789ab"},"door":"keeper"}','c18e25aba5e7b60927477aa0d57dfc14ee875295b2b52e883e50636c304f003f','8d17e40b63ac48e3ae8f7808aa4a7a1f44b64a36602784fe54fe30843fdf27f3');
INSERT INTO "journal" VALUES(2,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','142dde79d83d2bba77c5ce2ad56efb32','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"site_creation","title":""},"door":"keeper"}','f9fa3d8609b11fa696ec2739dd7715fbdfe9d2242970256b147ed47d60a02a47','f6762c6edd718a1510fbe00a0c29a3f3f92c29a66c9c6ee7d558eede665aca1b');
INSERT INTO "journal" VALUES(3,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','46753d76c9016ff5aa5a31b93b83bbe5','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_generation","title":""},"door":"keeper"}','ee6307f26abb4921ae5a5d1d8aeae70b18e790cce3c238f3328a2dde6444a0eb','03d971256e232b1b6cc8663a2b801afd41ecb61338fb99010a174defeaa66d1a');
INSERT INTO "journal" VALUES(4,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','73bfaa732492d71eba4c0ff3224a3b62','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"gsc_verification","title":""},"door":"keeper"}','b9938f698d90505e9711ef17e7262ab0fcd06d157ecb5f26949d5fcf2b9c0b88','54faafd126a579976ec7af06729008e98617aa15d48f99626f7972b5e5041160');
INSERT INTO "journal" VALUES(5,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','d57e6a753245b6e066a78df907073bf4','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_optimization","title":""},"door":"keeper"}','0882f6bb2cfa5072fc3e9c2278e33699606e1a51dec740f9a24d9157f0502534','4423d5ffd603cc01374ba96ae74c9c400a662d4c913466d4b9b4cb3db5a62c40');
INSERT INTO "journal" VALUES(6,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','09aba5c5ab26ad9843aa69f80f0dad4d','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"ab_testing","title":""},"door":"keeper"}','d9519bd1b4ed89e79afe70284ac6e6e9ac942a4dceeb2d94e588a22dfbf5db2e','cd6773786da0e558caeae9ea8533dc97c7299fd39be4d2c5f481c71513774d4b');
INSERT INTO "journal" VALUES(7,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','fba4f9e7601129800c0172e99ba49c83','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"opportunity_scan","title":""},"door":"keeper"}','37b2b388f90839be1c53a4499a5fe863528b7219106ff111dd69f6e615b14b96','f5ed2e1041db9e2e79f651ae774289e59ab8166a481686bdd908bd3b0a28e863');
INSERT INTO "journal" VALUES(8,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','139f49937ece984996f668628e75f2f6','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"xml-import","title":""},"door":"keeper"}','202d92e37e56b8b77b98c298884ea8a9e27c6243aa582a28887297d2f94e3d5f','eb76a568cdc887fb0baacc4abb886db493ac259c947a2866217b3b883e4cc2ce');
INSERT INTO "journal" VALUES(9,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','a0002ff489bf7fc62d6bb31c802c804e','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"shipstation-upload","title":""},"door":"keeper"}','aea105ffdda1d4bb45f3605f8f3796ceed27b5b686bd31be37eb65f5ad26851d','c1cfb10e861f0b91776f4846579d5f22182612535a3543cc45709b62fe5175f4');
INSERT INTO "journal" VALUES(10,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','61d9fd6a54af4b91f6ee0d5bc318651d','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"status-sync","title":""},"door":"keeper"}','959d13b4ea90dfee31c1fbfee7d5be86e48aeaf19343bdc36e354ac2bd0673a5','96d8629cc3c5aa90d8b5ee139943477b9bfcd915e35750ceb61bb7a3edff65d4');
INSERT INTO "journal" VALUES(11,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','d8daff97f80a834cc32e937a87c29572','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"manual-order-sync","title":""},"door":"keeper"}','8011c42378d80bddbf6d53ae00243da19096e660c37aa0b6ae6114a8fe058e77','0b8408787addfee3415da5d3d04f5f37828465a0acc59a23f6e9c0764c258c3f');
INSERT INTO "journal" VALUES(12,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','19b2e433af6ff0781763f09063a936de','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"orders-cleanup","title":""},"door":"keeper"}','588455d963a7514ffed81d4e9bfdd967f50d0b3acc883bbe95b12be9858a700f','b259f6a70566702979e2b68afb644d41251c82f40dcd8ad041067a648611c10f');
INSERT INTO "journal" VALUES(13,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','fe27d266d2ef35fb7f453c871b4d2340','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"weekly-reporter","title":""},"door":"keeper"}','5154d57cbd33bf084033bd07cf30f8b6f054c06322d46d77bd6e1ae825ee98fe','fd151f773f56b837ba38f068b01fd10e82656785f4a3cd7a675663a6dcc9887e');
INSERT INTO "journal" VALUES(14,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','b2908f6d5f42463b9e248c65dd8d0290','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxSitesPerHour","limit":10,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"keeper"}','1c8dd4d8a35647f3763c8c67bc4f5e5779fd1827f74eb1585b41f8ad8bc28f9d','1ba4fd08fe0723a6fb1e6470c3f1fabc089d5b0001a082e16e9dc526b714085a');
INSERT INTO "journal" VALUES(15,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','43ed0f7f3099779d19111cb99b7d4dd3','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxContentPagesPerHour","limit":100,"name":"content_pages","operation":"content_generation","window_s":3600.0},"door":"keeper"}','07a1c0babe1a4801e6ba6f1101374f624b8cc8bfaae6b647d35b8f85dd6eaa03','edc5414e675a1341a9c0f708b8bb1586e797a50562a206c0b8c136c452cb8066');
INSERT INTO "journal" VALUES(16,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','8bf5b452b3123e4c97f89d209c2a1fec','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxGSCRequestsPerHour","limit":200,"name":"gsc_requests","operation":"gsc_verification","window_s":3600.0},"door":"keeper"}','3d1546da9d74072b13175f33320f43ede2b5208bcd18eedf7aad45cf46e540b7','cc91c44483c54bc59e0196500f9756989531a8271f77a51fdd2d3c2b39820ade');
INSERT INTO "journal" VALUES(17,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','runtime-f90cab9a22e14a2ab27b1820c4d15ec3','ab30235b7bb6002b32af704c0b5fd9d7','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxOpportunityScansPerDay","limit":50,"name":"opportunity_scans","operation":"opportunity_scan","window_s":86400.0},"door":"keeper"}','8318070b1282aa2cb8a7a665bb0f5cda84de6fc4d736715e4f462b02a25bf8b8','8c7ac5a178d98db9c1c46f0c8b67fc73f48cda5fcb15742f0765768868926925');
INSERT INTO "journal" VALUES(18,'name.added',1,'2026-11-22T14:00:00.000000Z','c-1','c-1','8dcf8a3bbb6156d9cf8f75ff467e43a9','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s1","title":""},"door":"test"}','24381265768a5ed1fd9b10a124a4bd376c6792c7b69b7914d95dbb6e43b0503b','a82b221164b6260888da8cfe23526357502ec7e44ffc8aee7d00f7e5597541d0');
INSERT INTO "journal" VALUES(19,'name.added',1,'2026-11-22T14:00:00.000000Z','c-2','c-2','0cdf0226eb586359bd615a74556e9d23','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2","title":"Zweite Seite"},"door":"test"}','14eb0e7d5872840f911353e3917491182ad64aceb320a46a7973f74211a58453','401e64411c48d5858146c6af205a5e024b3dc9ab97bc69c64bd3108e6dbfd0f5');
INSERT INTO "journal" VALUES(20,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','2beee2cd2344b1492445f4037a736837','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-20","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s1"},"source":"operator"},"door":"test"}','a713862c8f9bac1d27fe1873ab16a9961de460862e62fa0e448728ce8f7fcf1f','ef6ab3ea08ab7cc573b036c7e173139d7a94afa8a81b48558b92b46d8fa71d9a');
INSERT INTO "journal" VALUES(21,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','fb5fca6b12f3dcc1ce244002d981f449','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-21","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s2"},"source":"operator"},"door":"test"}','680edec1921d8ad097a39c2c85688957198789c87f8b9558aee61639aa042686','4539824afb7d703c0e1269401a24c83feffab19b270bdba9b075c515e84c1509');
INSERT INTO "journal" VALUES(22,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-4','c-4','1bcfffc73762884965234f2a43ba88dd','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-22","mode":"drain","owner":"ab_testing","reason":"","selector":{"operation":"ab_testing"},"source":"flag"},"door":"test"}','67e1a142a29c9c70a3b0fb02fc13178f237e263e7fdcfb99758189c63cafddc0','718c3bceed0b4380067cc2530c97fb708bcc3cc35b30da01c1c6c8b17897ceb7');
INSERT INTO "journal" VALUES(23,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-5','c-5','597791163751ec5e02fb59c05791eda4','{"actor":{"kind":"person","name":"ana"},"data":{"limit":0,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','94391ec8dcb818098c1f4b51599a3de86e4979d4fa75f55f3e968c093272e3fa','da72aae6f665059a42b0763cff4db71b25afed123c5312b6fb8d605b1912f66a');
INSERT INTO "journal" VALUES(24,'emergency.opened',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','075b3949fdeba472f4ee3efb67e3c974','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"graceful","reason":"","selectors":[{"site":"s1"}]},"door":"test"}','582b87c299b9789dbf2bb677b6258f3f0a88719bd60010131b406a15568886f9','88d8d4d4300aca701e52e08355cf7f45677538d0c9a34a3c62fd607704078a31');
INSERT INTO "journal" VALUES(25,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','85dad790d83dee14e6e3f86806abd078','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"drain","owner":"E-24","reason":"","selector":{"site":"s1"},"source":"emergency"},"door":"test"}','05ce32e4c9bcbe4dc85b4b2b2f86ce84fcbf1d8783a823df48d0e3e02de022ce','414472b98ee70792d362e21d42544a53619ae9f585a7afe8c03271beb1839a04');
INSERT INTO "journal" VALUES(26,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','356815f9e81c229ba9e4936578bcc22e','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:01:00.000000Z","emergency_id":"E-24","hold_ids":["H-25"],"level":"graceful","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{"site":"s1"}],"stop_id":"stop-1"},"door":"test"}','0039924ed00488d32a985355873a7079a0feb4bb9219df7334666a40d32d0022','009c9c00578084f23bd287253970d81b2f4e50bf73c40e15ebcfd30bdf9df820');
INSERT INTO "journal" VALUES(27,'emergency.joined',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','eda50379b4c14ecea108cc6b4eda8253','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"immediate","selectors":[{}]},"door":"test"}','e7651c23a0de20e62f8e628bd85347effee2f4572fcab4c504ed34f631b774fc','f15d7e69575bb540a34e102b6cd8e545a0f3de80dd423df1c43efac60fc0a5e5');
INSERT INTO "journal" VALUES(28,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','02fdc6162843e452d155cc210061371c','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-28","mode":"halt","owner":"E-24","reason":"","selector":{},"source":"emergency"},"door":"test"}','10377e63872ca917fb34abccef61479e32c7336aa5129b101bbd3fd0ae011d85','42b8837563a715ded17f646d219bd7218eea7a26c935ca3fad7952ed8aaccd65');
INSERT INTO "journal" VALUES(29,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','a442c3e712369427eb97fa4fa348284f','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","emergency_id":"E-24","hold_ids":["H-28"],"level":"immediate","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{}],"stop_id":"stop-2"},"door":"test"}','2334ac67397c451482db44b0e5c55367021f545a44a9ee9a69721d2cf8918b17','6bfba3a28f1e59f578fcee6339854a40963cc6c285970c7d5e9b10dd755aba1b');
INSERT INTO "journal" VALUES(30,'hold.changed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','096c4c96d155fac9c4ef8d82bb943816','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"halt","reason":""},"door":"test"}','252e19dc1627f675280051636d77056c1e4402f1587e1c606b7076e88d2d8392','7b5de8ffb8c61fc5e0d61ba6cf385c8667d4652923c457f957daf9a03691916e');
INSERT INTO "journal" VALUES(31,'stop.escalated',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','1ca7bc5cafb2996dd9eeb621664af211','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","level":"immediate","stop_id":"stop-1"},"door":"test"}','076d64a85adf83f5236a14a8171895c7162ccfe806284e59cf10b1a3582bbe2a','e9f036763321ef405e097e9ff379b1b87c96c5617e85b65957c26c7ac38918ca');
INSERT INTO "journal" VALUES(32,'stop.explained',1,'2026-11-22T14:00:00.000000Z','c-8','c-8','d4a903204af606f518881ebb80801ae5','{"actor":{"kind":"person","name":"ana"},"data":{"reason":"smoke in the hall","stop_id":"stop-2"},"door":"test"}','116acb753b8c6d1f4faccae2fa97019219b73eea2ab1bb1582fcca2a8632465a','9b5fa444bd34fbd85bb6a5323cd00947e8b973ba55552d157e37c1c5d79c8772');
INSERT INTO "journal" VALUES(33,'hold.released',1,'2026-11-22T14:00:00.000000Z','c-9','c-9','a8d9a63785bc8b6e05a3452fc7065722','{"actor":{"kind":"person","name":"ana"},"data":{"forced":false,"hold_id":"H-21","reason":"was not it"},"door":"test"}','e899574cbe8b28f1afa60adb61a26d9784f142ae99bf9ad0ee7b272c16763b73','03bc74b062c4e5cc5d775ca512e63ce754affc339b007a0e2123e2eb65b187d3');
INSERT INTO "journal" VALUES(34,'name.removed',1,'2026-11-22T14:00:00.000000Z','c-10','c-10','8cf22b64cf53539723578bb18155c255','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2"},"door":"test"}','a6c85f50bbd4336619706d2feaff564591d4ec42a96a9f0c8b59f560c62405a7','63d318a89d4731c167262a1e6cd499e65553fb8dd0eb26d1778054661b195d01');
INSERT INTO "journal" VALUES(35,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-11','c-11','b5a2bad99633bf707b52c3c352718202','{"actor":{"kind":"person","name":"ana"},"data":{"limit":5,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','f1d37d4ff74f56e13bb9634cfe656f18ccd868e5fc25a075b8bf0a4f1c8445fc','68a1c1c667d0c0a7308a101e93e690fc7c30fcedf00011c47503cdf5fe1e359c');
CREATE TABLE journal_anchor (
	id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_anchor CHECK (id = 1)
);
INSERT INTO "journal_anchor" VALUES(1,0,'6fa766e7e06c543025db5b430c5fbf0df11b55a56ff8ce5fc97f809a451f8b8f');
CREATE TABLE lease (
	name TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	expires_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE limit_usage (
	reservation_id TEXT NOT NULL, 
	limit_name TEXT NOT NULL, 
	at_s FLOAT NOT NULL, 
	cost INTEGER NOT NULL, 
	PRIMARY KEY (reservation_id)
);
INSERT INTO "limit_usage" VALUES('r-c6fda6e7081e4f6ba80063840611b2f7','content_pages',1795356000.0,3);
CREATE TABLE outbox_cursor (
	name TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE program (
	name TEXT NOT NULL, 
	step TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE receipt (
	command_id TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	body TEXT NOT NULL, 
	at TEXT NOT NULL, sender TEXT, 
	PRIMARY KEY (command_id)
);
INSERT INTO "receipt" VALUES('runtime-f90cab9a22e14a2ab27b1820c4d15ec3','438c2cc9111c2837719d51e6c255b290778aa8335f7d940a96328a734e068009','{"revision":17,"changed":true,"events":[{"revision":1,"kind":"fleet.created"},{"revision":2,"kind":"name.added"},{"revision":3,"kind":"name.added"},{"revision":4,"kind":"name.added"},{"revision":5,"kind":"name.added"},{"revision":6,"kind":"name.added"},{"revision":7,"kind":"name.added"},{"revision":8,"kind":"name.added"},{"revision":9,"kind":"name.added"},{"revision":10,"kind":"name.added"},{"revision":11,"kind":"name.added"},{"revision":12,"kind":"name.added"},{"revision":13,"kind":"name.added"},{"revision":14,"kind":"limit.defined"},{"revision":15,"kind":"limit.defined"},{"revision":16,"kind":"limit.defined"},{"revision":17,"kind":"limit.defined"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-1','d7102a4932408562c0cd4ead488b0de1003254ee1d67aeeb83f2b5b42c05f12c','{"revision":18,"changed":true,"events":[{"revision":18,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-2','30d299474049e5abc8b4f345b3aa3954a8cae7a739bbe30c61b626551f4aef31','{"revision":19,"changed":true,"events":[{"revision":19,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-3','251c65ce24e5d90906ddf3da7eb289543eccb30164141d1fd56884326df13c71','{"revision":21,"changed":true,"events":[{"revision":20,"kind":"hold.placed"},{"revision":21,"kind":"hold.placed"}],"hold_ids":["H-20","H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-4','4c6128875654a897065830065b43e9aa13377bd31297189a811525053fef6133','{"revision":22,"changed":true,"events":[{"revision":22,"kind":"hold.placed"}],"hold_ids":["H-22"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-5','ddb44abe325472fa870388a748d738a9119440a29ec8608b359175efb202044b','{"revision":23,"changed":true,"events":[{"revision":23,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-6','03e9340bdca1a6b23c3ce28ef8b7ee84c97d164d13d37e2281c554c4dd60d076','{"revision":26,"changed":true,"events":[{"revision":24,"kind":"emergency.opened"},{"revision":25,"kind":"hold.placed"},{"revision":26,"kind":"stop.ordered"}],"hold_ids":["H-25"],"stop_id":"stop-1","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":25,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-7','d0cbd26ecd4fd9bef45fafd3e37f2f66df65e479873e7b646bd578538d3545cb','{"revision":31,"changed":true,"events":[{"revision":27,"kind":"emergency.joined"},{"revision":28,"kind":"hold.placed"},{"revision":29,"kind":"stop.ordered"},{"revision":30,"kind":"hold.changed"},{"revision":31,"kind":"stop.escalated"}],"hold_ids":["H-28"],"stop_id":"stop-2","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"è漢\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":28,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":30,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-8','695ce96b70c22ead169386dcd759366e5ea28d50e359aa52f9dfe75d14b22867','{"revision":32,"changed":true,"events":[{"revision":32,"kind":"stop.explained"}],"hold_ids":[],"stop_id":"stop-2","emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-9','532acb8ad6c79bd90337204aed2bc3be19485f718b557d5a9a17f0f34abb95ab','{"revision":33,"changed":true,"events":[{"revision":33,"kind":"hold.released"}],"hold_ids":["H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"smoke in the hall","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":32,"overdue":false}],"notes":["H-21 was placed by operator ana"]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-10','373a8b9cdd0f1556204c26cda50a51bb14b9f90f8bcd961741f0c063e7959734','{"revision":34,"changed":true,"events":[{"revision":34,"kind":"name.removed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
INSERT INTO "receipt" VALUES('c-11','843d5af2af9e8d323fd159eecf45d79c0d38cf31af2b96d81f574ec31df771e3','{"revision":35,"changed":true,"events":[{"revision":35,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z',NULL);
CREATE TABLE sample (
	at_s FLOAT NOT NULL, 
	metric TEXT NOT NULL, 
	value FLOAT NOT NULL, 
	account TEXT, 
	labels TEXT NOT NULL, 
	source TEXT NOT NULL
);
CREATE TABLE schema_reader (
	id INTEGER NOT NULL, 
	oldest TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_reader CHECK (id = 1)
);
INSERT INTO "schema_reader" VALUES(1,'pre_0001');
CREATE TABLE worker (
	worker_id TEXT NOT NULL, 
	env TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	started TEXT NOT NULL, 
	registered_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	stops TEXT NOT NULL, 
	draining TEXT NOT NULL, 
	in_flight INTEGER NOT NULL, 
	state TEXT NOT NULL, boots TEXT, 
	PRIMARY KEY (worker_id)
);
INSERT INTO "worker" VALUES('w1','prod','{"site":["s1","s2"]}',4711,'812','2026-11-22T14:00:00.000000Z','2026-11-22T14:00:00.000000Z',0,'[]','{}',1,'live',NULL);
INSERT INTO "worker" VALUES('w2','prod','{"site":["s1","s2"]}',4711,'812','2026-11-22T14:00:00.000000Z','2026-11-22T14:00:00.000000Z',0,'[]','{}',1,'live',NULL);
CREATE INDEX limit_usage_window ON limit_usage (limit_name, at_s);
CREATE INDEX sample_window ON sample (metric, at_s);
COMMIT;

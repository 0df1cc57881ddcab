package ble

import "github.com/veilleuse/veilleuse/adapters/hap"

// Tags of the body of a PDU (HAP R2 table 7-10).
const (
	paramValue              hap.Tag = 0x01
	paramKind               hap.Tag = 0x04 // type of a characteristic
	paramServiceKind        hap.Tag = 0x06
	paramServiceID          hap.Tag = 0x07
	paramTimeToLive         hap.Tag = 0x08 // of a timed write, in tenths of a second
	paramReturnResponse     hap.Tag = 0x09
	paramProperties         hap.Tag = 0x0a
	paramDescription        hap.Tag = 0x0b
	paramPresentation       hap.Tag = 0x0c
	paramRange              hap.Tag = 0x0d
	paramStep               hap.Tag = 0x0e
	paramServiceProperties  hap.Tag = 0x0f
	paramLinked             hap.Tag = 0x10
	paramValidValues        hap.Tag = 0x11
	paramValidRange         hap.Tag = 0x12
	protocolGenerateKey     hap.Tag = 0x01 // of a protocol configuration request (table 7-31)
	protocolGetAll          hap.Tag = 0x02
	protocolState           hap.Tag = 0x01 // of its answer (table 7-33)
	protocolConfiguration   hap.Tag = 0x02
	protocolAdvertisingID   hap.Tag = 0x03
	configurationProperties hap.Tag = 0x01 // of a characteristic configuration (table 7-28)
	configurationInterval   hap.Tag = 0x02
	pairingFragment         hap.Tag = 0x0c // a pairing message comes in parts (table 5-6)
	pairingLastFragment     hap.Tag = 0x0d
)

// Bits of a characteristic's properties (HAP R2 table 7-50).
const (
	propertyAuthorised   = 0x0004
	propertyTimedWrite   = 0x0008
	propertySecureRead   = 0x0010
	propertySecureWrite  = 0x0020
	propertyHidden       = 0x0040
	propertyEvents       = 0x0080 // while connected
	propertyEventsAway   = 0x0100 // the state number moves while it is not connected
	propertyBroadcasts   = 0x0200
	servicePrimary       = 0x0001 // bits of a service's properties
	serviceHidden        = 0x0002
	broadcastEnable      = 0x0001
	broadcastEverySecond = 0x02 // 1280 ms (table 7-29)
)
